"""Every object in the kernel, whoever made it: listed, with who holds it.

`KINDS` has one row per kind: its bpf(2) commands and what /proc calls its id.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import ENOENT
from typing import Any, NamedTuple

from ..errors import KernelError
from ..uapi import attrs
from ..uapi.enums import MapType, ProgType, name_of
from . import bpf
from .link import LinkInfo, describe


class Kind(NamedTuple):
    """`word` names the commands of `bpf`, `proc` the line of /proc/PID/fdinfo with the id; `layout` of its *_info struct."""

    name: str
    word: str
    proc: str
    layout: attrs.Layout


MAP, PROGRAM, LINK, BTF = KINDS = (
    Kind("map", "map", "map_id", attrs.MAP_INFO), Kind("program", "prog", "prog_id", attrs.PROG_INFO),
    Kind("link", "link", "link_id", attrs.LINK_INFO), Kind("btf", "btf", "btf_id", attrs.BTF_INFO))


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
        from ..btf import Btf
        from . import handle

        if self.kind is MAP:
            return handle.open_map(self.id)
        if self.kind is PROGRAM:
            return handle.open_program(self.id)
        if self.kind is LINK:
            return handle.open_link(self.id)
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
    for process, fd in descriptors("anon_inode:b", []):
        try:
            with open(f"/proc/{process.pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                _, found, rest = file.read().partition(start)
        except OSError:
            continue  # it was closed
        if found:
            yield int(rest.split()[0]), process


def descriptors(word: str, hidden: list[str]) -> Iterator[tuple[Process, int]]:
    """(process, descriptor) of every open file that /proc calls by a word; `hidden` gets the ids of processes that this one
    may not look at."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fds = os.listdir(f"/proc/{pid}/fd")
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                process = Process(int(pid), file.read().strip())
        except PermissionError:
            hidden.append(pid)
            continue
        except OSError:
            continue  # it ended
        for fd in fds:
            try:
                if word in os.readlink(f"/proc/{pid}/fd/{fd}"):
                    yield process, int(fd)
            except OSError:
                continue  # it was closed; the listing's own always is
