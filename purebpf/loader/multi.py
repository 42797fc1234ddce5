"""Attaching one program to many functions at once: kprobe_multi (5.18) and uprobe_multi (6.6) links."""

from __future__ import annotations

import fnmatch
import os
import struct
from typing import TYPE_CHECKING

from ..errors import AttachError
from ..uapi.enums import AttachType, LinkFlag
from . import links, sys, tracefs
from .refusals import CAP_BPF, CAP_PERFMON
from .symbols import find_file, matching

if TYPE_CHECKING:
    from .link import Link
    from .progs import LoadedProgram

ENOENT, EINVAL = 2, 22
_CAPS = (CAP_BPF, CAP_PERFMON)


def attach_kprobe_multi(program: LoadedProgram, target: str | None, *, ret: bool = False) -> Link:
    """`target` is a shell pattern of kernel function names."""
    return _kernel(program, target, "kprobe.multi", "5.18", LinkFlag.KPROBE_MULTI_RETURN if ret else 0)


def attach_kretprobe_multi(program: LoadedProgram, target: str | None) -> Link:
    return attach_kprobe_multi(program, target, ret=True)


def attach_kprobe_session(program: LoadedProgram, target: str | None) -> Link:
    """Runs at entry and at return of each function."""
    return _kernel(program, target, "kprobe.session", "6.10", 0)


def _kernel(program: LoadedProgram, target: str | None, kind: str, since: str, flags: int) -> Link:
    if not target:
        raise AttachError(EINVAL, f"program {program.name!r}", "say where: attach('tcp_*')")
    names = [n for n in tracefs.probeable_functions() if fnmatch.fnmatchcase(n, target)] if set(target) & set("*?[") else [target]
    if not names:
        raise AttachError(ENOENT, f"no kernel function that can be probed fits {target!r}", reason="")
    fields, held, count = _by_names(names)
    made = links.create(program, kind, target, feature=kind, since=since, caps=_CAPS, hint=f"{count} functions" if count > 1 else "",
                        kprobe_multi__cnt=count, kprobe_multi__flags=flags, **fields)
    del held
    return made


def _by_names(names: list[str]) -> tuple[dict[str, int], list[object], int]:
    """(fields, the buffers they point to, how many) of functions to hook: by name, or, when a name is that of several
    functions, by address: the kernel refuses such a name."""
    if len(set(names)) == len(names):
        texts = [sys.buffer(name.encode() + b"\0") for name in names]
        pointers = sys.buffer(struct.pack(f"={len(texts)}Q", *map(sys.address, texts)))
        return {"kprobe_multi__syms": sys.address(pointers)}, [texts, pointers], len(names)
    addresses = sorted(tracefs.function_addresses(set(names)))
    packed = sys.buffer(struct.pack(f"={len(addresses)}Q", *addresses))
    return {"kprobe_multi__addrs": sys.address(packed)}, [packed], len(addresses)


def attach_uprobe_multi(program: LoadedProgram, target: str | None, *, pid: int = 0, ret: bool = False) -> Link:
    """`target` is "path:pattern"; `pid` limits it to one process."""
    return _user(program, target, "uprobe.multi", "6.6", pid, LinkFlag.UPROBE_MULTI_RETURN if ret else 0)


def attach_uretprobe_multi(program: LoadedProgram, target: str | None, *, pid: int = 0) -> Link:
    return attach_uprobe_multi(program, target, pid=pid, ret=True)


def attach_uprobe_session(program: LoadedProgram, target: str | None, *, pid: int = 0) -> Link:
    """Runs at entry and at return of each function (6.13)."""
    return _user(program, target, "uprobe.session", "6.13", pid, 0)


def _user(program: LoadedProgram, target: str | None, kind: str, since: str, pid: int, flags: int) -> Link:
    path, _, pattern = (target or "").rpartition(":")
    if not path or not pattern:
        raise AttachError(EINVAL, f"program {program.name!r}", "say where: attach('path:pattern')")
    path = find_file(path, pid)
    found = matching(path, pattern)
    if not found:
        raise AttachError(ENOENT, f"{path} has no function that fits {pattern!r}", reason="")
    text = sys.buffer(os.fsencode(path) + b"\0")
    offsets = sys.buffer(struct.pack(f"={len(found)}Q", *(s.offset for s in found)))
    session = program.spec.attach_type == AttachType.TRACE_UPROBE_SESSION
    return links.create(program, kind, target or "", feature=kind, since=since, caps=_CAPS,
                        uprobe_multi__path=sys.address(text), uprobe_multi__offsets=sys.address(offsets),
                        uprobe_multi__cnt=len(found), uprobe_multi__flags=0 if session else flags,
                        uprobe_multi__pid=pid)
