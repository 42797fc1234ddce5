"""Every object in the kernel, whoever made it: opened by id, pin, name, tag or descriptor, checked for its kind; listed; and
who holds it.

`KINDS` has one row per kind: its bpf(2) commands and what /proc calls its id. What is opened is of the same classes that
`load` gives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EINVAL, ENOENT
from typing import Any, NamedTuple

from ..btf import Btf
from ..errors import KernelError
from ..spec import FuncSpec, Linked, ProgramSpec
from ..uapi import attrs, hooks
from ..uapi.enums import MapType, ProgType, name_of
from . import bpf
from .fd import Fd
from .link import Link, LinkInfo, describe, duplicate
from .livemaps import adopt
from .maps import LiveMap
from .progs import LoadedCode, LoadedProgram
from .refusals import refuse

Which = int | str | os.PathLike[str] | bpf.HasFd


class Kind(NamedTuple):
    """`word` names the commands of `bpf`, `proc` the line of /proc/PID/fdinfo with the id; `layout` of its *_info struct."""

    name: str
    word: str
    proc: str
    layout: attrs.Layout


MAP, PROGRAM, LINK, BTF = KINDS = (
    Kind("map", "map", "map_id", attrs.MAP_INFO), Kind("program", "prog", "prog_id", attrs.PROG_INFO),
    Kind("link", "link", "link_id", attrs.LINK_INFO), Kind("btf", "btf", "btf_id", attrs.BTF_INFO))


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def infos(kind: Kind) -> Iterator[tuple[int, bpf.Info]]:
    """(id, what the kernel says) of every object of a kind; those that go meanwhile are left out."""
    for number in bpf.ids(kind.word):
        try:
            with bpf.fd_by_id(kind.word, number) as fd:
                info = bpf.info(fd.fileno(), kind.layout)
        except KernelError as error:
            if error.errno != ENOENT:
                raise
            continue
        yield number, info


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


# ── listing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Process(NamedTuple):
    """Who holds a descriptor of an object."""

    pid: int
    comm: str


class Entry:
    """One object in a listing: `id`, `name`, `type` as text, `info` as the kernel tells it. `open()` gives it live."""

    __slots__ = ("kind", "id", "name", "type", "info", "_held")

    def __init__(self, kind: Kind, id: int, name: str, type: str, info: Any, held: _Held) -> None:
        self.kind, self.id, self.name, self.type, self.info, self._held = kind, id, name, type, info, held

    @property
    def holders(self) -> tuple[Process, ...]:
        """The processes with a descriptor of it, of those that this process may look at. Pins, programs, attachments and
        other maps hold objects too."""
        return self._held.of(self.id)

    def open(self) -> Any:
        """The live object; close it after use. BTF is opened as types: a `Btf`."""
        if self.kind is MAP:
            return open_map(self.id)
        if self.kind is PROGRAM:
            return open_program(self.id)
        if self.kind is LINK:
            return open_link(self.id)
        with bpf.fd_by_id("btf", self.id) as fd:
            return Btf.from_bytes(bpf.btf_data(fd.fileno())[1])

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.id} {self.type} {self.name}".rstrip() + ">"


def maps() -> Iterator[Entry]:
    """Every map in the kernel (needs CAP_SYS_ADMIN)."""
    held = _Held(MAP)
    return (Entry(MAP, n, i.name, name_of(MapType, i.type).lower(), i, held) for n, i in infos(MAP))


def programs() -> Iterator[Entry]:
    """Every program in the kernel."""
    held = _Held(PROGRAM)
    return (Entry(PROGRAM, n, i.name, name_of(ProgType, i.type).lower(), i, held) for n, i in infos(PROGRAM))


def links() -> Iterator[Entry]:
    """Every link in the kernel; `info` is a LinkInfo, `name` its target."""
    held = _Held(LINK)
    for number in bpf.ids("link"):
        try:
            with bpf.fd_by_id("link", number) as fd:
                info: LinkInfo = describe(fd.fileno())
        except KernelError as error:
            if error.errno != ENOENT:
                raise
            continue
        yield Entry(LINK, number, info.target, info.type, info, held)


def btfs() -> Iterator[Entry]:
    """Every BTF in the kernel: its own ("vmlinux"), modules', and what programs brought ("")."""
    held = _Held(BTF)
    for number in bpf.ids("btf"):
        try:
            with bpf.fd_by_id("btf", number) as fd:
                name, info = bpf.btf_name(fd.fileno())
        except KernelError as error:
            if error.errno != ENOENT:
                raise
            continue
        yield Entry(BTF, number, name, "kernel" if info.kernel_btf else "program", info, held)


class _Held:
    """Who holds what of one kind; /proc is walked once, when first asked."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._known: dict[int, dict[Process, None]] | None = None

    def of(self, number: int) -> tuple[Process, ...]:
        if self._known is None:
            self._known = {}
            for found, who in _descriptors(self._kind):
                self._known.setdefault(found, {})[who] = None
        return tuple(self._known.get(number, ()))


def _descriptors(kind: Kind) -> Iterator[tuple[int, Process]]:
    start = f"\n{kind.proc}:"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if "anon_inode:b" not in os.readlink(f"/proc/{pid}/fd/{fd}"):
                    continue
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                    _, found, rest = file.read().partition(start)
                if found:
                    yield int(rest.split()[0]), Process(int(pid), _comm(pid))
        except OSError:
            continue  # it ended, or is not ours to look at


def _comm(pid: str) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def pinned_object(path: str | os.PathLike[str]) -> LiveMap | LoadedProgram | Link:
    """What is pinned at a path, whatever kind it is. Raises KernelError."""
    with bpf.get_pinned(path) as fd:
        kind = bpf.kind_of(fd.fileno())
    openers: dict[str, Any] = {"map": open_map, "program": open_program, "link": open_link}
    if kind not in openers:
        raise refuse(EINVAL, f"opening pin {os.fspath(path)}", hint=f"it is a {kind or 'thing unknown'}")
    opened: LiveMap | LoadedProgram | Link = openers[kind](path)
    return opened
