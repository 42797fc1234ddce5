"""Every object in the kernel, whoever made it: opened by id, pin, name, tag or descriptor, and checked for its kind.

What is opened is of the same classes that `load` gives. The lists are in `listed`.
"""

from __future__ import annotations

import os
from errno import EINVAL, ENOENT
from typing import Any

from ..errors import KernelError
from ..spec import FuncSpec, Linked, ProgramSpec
from ..uapi import hooks
from ..uapi.enums import ProgType, name_of
from . import bpf
from .fd import Fd
from .link import Link, describe, duplicate
from .listed import BTF, LINK, MAP, PROGRAM, Kind, infos
from .livemaps import adopt
from .maps import LiveMap
from .progs import LoadedCode, LoadedProgram
from .refusals import refuse

Which = int | str | os.PathLike[str] | bpf.HasFd


def open_fd(kind: Kind, which: Which) -> Fd:
    """A descriptor of an object: by id, by the path of its pin, by its name if only one has it (the kernel keeps 15
    characters), a program by its tag (16 hexadecimal digits), or a copy of the descriptor of anything with `fileno()`.
    Raises KernelError."""
    if isinstance(which, int):
        return bpf.fd_by_id(kind.word, which)
    if isinstance(which, os.PathLike) or isinstance(which, str) and "/" in which:
        fd = bpf.get_pinned(which)
    elif isinstance(which, str):
        return bpf.fd_by_id(kind.word, int(which) if which.isdigit() else _by_name(kind, which))
    else:
        fd = duplicate(which, f"{kind.name} of {which!r}")
    try:
        bpf.check_kind(fd.fileno(), kind.name, which)
    except BaseException:
        fd.close()
        raise
    return fd


def _by_name(kind: Kind, which: str) -> int:
    if kind in (LINK, BTF):
        raise KernelError(ENOENT, f"finding {kind.name} {which!r}", f"a {kind.name} has no name: give its id or a path",
                          reason="")
    tag = len(which) == 16 and all(c in "0123456789abcdef" for c in which)
    wanted = bpf.object_name(which).decode()
    found = []
    for number, info in infos(kind):
        if info.name == wanted or tag and kind is PROGRAM and info.tag.hex() == which:
            found.append(number)
    if len(found) == 1:
        return found[0]
    raise KernelError(ENOENT, f"finding {kind.name} {which!r}",
                      f"several {kind.name}s have this name, with ids {', '.join(map(str, found))}" if found
                      else f"no {kind.name} has this name", reason="")


def open_map(which: Which) -> LiveMap:
    """A map of whoever made it, typed by the BTF it was made with; see `open_fd`. Close it after use."""
    made = adopt(open_fd(MAP, which))
    made.opened_at(which)
    return made


def open_program(which: Which, *, section: str = "") -> LoadedProgram:
    """A program of whoever loaded it; see `open_fd`. `section` ("kprobe/do_exit", "cgroup_skb/egress") says what the
    kernel does not tell and `attach` needs for some types. Closing it closes the links that it made."""
    fd = open_fd(PROGRAM, which)
    try:
        info = bpf.prog_info(fd.fileno())
        hook = hooks.match(section) if section else None
        if section and (hook is None or hook.prog_type != info.type):
            raise KernelError(EINVAL, f"opening program {info.name!r} as {section!r}",
                              f"it is of type {name_of(ProgType, info.type)}", reason="")
        spec = ProgramSpec(FuncSpec(info.name, ()), section or name_of(ProgType, info.type).lower(), info.type,
                           hook.attach_type if hook is not None else 0, hooks.target(section) if section else "")
        made = LoadedProgram(spec, Linked((), (), ()), LoadedCode(fd, ""), {})
    except BaseException:
        fd.close()
        raise
    made.opened_at(which)
    return made


def open_link(which: Which) -> Link:
    """A link of whoever made it; see `open_fd`. Closing it leaves the program attached as long as somebody else holds the
    link: `detach()` takes the program off."""
    fd = open_fd(LINK, which)
    try:
        info = describe(fd.fileno())
    except BaseException:
        fd.close()
        raise
    made = Link(info.type, info.target, fd)
    made.opened_at(which)
    return made


def pinned_object(path: str | os.PathLike[str]) -> LiveMap | LoadedProgram | Link:
    """What is pinned at a path, whatever kind it is. Raises KernelError."""
    with bpf.get_pinned(path) as fd:
        kind = bpf.kind_of(fd.fileno())
    openers: dict[str, Any] = {"map": open_map, "program": open_program, "link": open_link}
    if kind not in openers:
        raise refuse(EINVAL, f"opening pin {os.fspath(path)}", hint=f"it is a {kind or 'thing unknown'}")
    opened: LiveMap | LoadedProgram | Link = openers[kind](path)
    return opened
