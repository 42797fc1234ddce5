"""Addresses → names: of the kernel (kallsyms: functions, modules, BPF programs) and of processes (their mapped files, perf
maps of what they compile themselves).

    address of a process → mapping (/proc/PID/maps) → offset in the file → symbol of the file, or of its debug file

The file is opened through the mapping (/proc/PID/map_files), else by its path in the process's root, so containers' and
deleted files are found too. A return address is looked up one byte before: the call, not what follows it.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from ..errors import ElfError, PureBpfError
from .symbols import ElfFile, Symbol


class Frame(NamedTuple):
    """`name` "" where nothing is known; `offset` from the symbol's start (of the file, without a symbol); `module`: the
    file, "[kernel]", a module's name in brackets, "[bpf]" or ""."""

    address: int
    name: str
    offset: int
    module: str

    def __str__(self) -> str:
        inside = f" ({self.module})" if self.module else ""
        return f"{self.name}+{self.offset:#x}{inside}" if self.name else f"{self.address:#x}{inside}"


@cache
def demangled(name: str) -> str:
    """The name as its source has it (C++, Rust), where the optional library `demangle` is installed; else as it is."""
    if not name.startswith(("_Z", "_R", "__Z")):
        return name
    try:
        found = import_module("demangle").demangle(name)
    except ImportError:
        return name
    return found if isinstance(found, str) and found else name


class _Table:
    """Symbols by address; an address belongs to the last one that starts at or before it, if that reaches so far."""

    __slots__ = ("_starts", "_rows")

    def __init__(self, rows: Iterable[tuple[int, int, str, str]]) -> None:
        """Rows (start, size or 0: up to the next, name, module)."""
        self._rows = sorted(rows)
        self._starts = [row[0] for row in self._rows]

    def find(self, address: int) -> tuple[int, str, str] | None:
        """(offset, name, module)."""
        at = bisect_right(self._starts, address) - 1
        for start, size, name, module in reversed(self._rows[max(0, at - 8):at + 1]):
            if not size or address < start + size:
                return address - start, name, module
        return None

    def __len__(self) -> int:
        return len(self._rows)


class KernelSymbols:
    """/proc/kallsyms, read once. Without the privilege to see addresses nothing is found."""

    def __init__(self) -> None:
        self._table: _Table | None = None

    def frame(self, address: int) -> Frame:
        if self._table is None:
            self._table = _Table(_kallsyms())
        found = self._table.find(address)
        if found is None or address < 1 << 32:
            return Frame(address, "", 0, "[kernel]")
        return Frame(address, found[1], found[0], found[2])


def _kallsyms() -> Iterator[tuple[int, int, str, str]]:
    try:
        with open("/proc/kallsyms", encoding="ascii", errors="replace") as file:
            for line in file:
                address, kind, name, *module = line.split()
                if kind in "tTwW" and (start := int(address, 16)):
                    yield start, 0, name, module[0] if module else "[kernel]"
    except OSError:
        return


class _Mapping(NamedTuple):
    low: int
    high: int
    offset: int
    path: str


class ProcessSymbols:
    """A process, as it is mapped when first asked. Files are read once; what cannot be read has no names."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._mappings: list[_Mapping] | None = None
        self._files: dict[str, tuple[_Table, ElfFile | None]] = {}
        self._jitted: _Table | None = None

    def frame(self, address: int) -> Frame:
        if self._mappings is None:
            self._mappings = list(_maps(self.pid))
        place = next((m for m in self._mappings if m.low <= address < m.high), None)
        if place is None or not place.path.startswith("/") or place.path.startswith(("/dev/zero", "/memfd:", "//anon")):
            found = self._of_jit().find(address)
            return Frame(address, found[1], found[0], "[jit]") if found else Frame(address, "", 0, place.path if place else "")
        offset = address - place.low + place.offset
        found = self._of_file(place)[0].find(offset)
        path = place.path.removesuffix(" (deleted)")
        return Frame(address, found[1], found[0], path) if found else Frame(address, "", offset, path)

    def _of_file(self, place: _Mapping) -> tuple[_Table, ElfFile | None]:
        if place.path not in self._files:
            file = next(filter(None, map(_elf, (f"/proc/{self.pid}/map_files/{place.low:x}-{place.high:x}",
                                                f"/proc/{self.pid}/root{place.path}", place.path))), None)
            rows = [(s.offset, s.size, s.name, "") for s in _symbols(file)] if file is not None else []
            if file is not None:
                rows += _debug_rows(file, place.path, {row[0] for row in rows})
            self._files[place.path] = (_Table(rows), file)
        return self._files[place.path]

    def _of_jit(self) -> _Table:
        if self._jitted is None:
            self._jitted = _Table(_perf_map(self.pid))
        return self._jitted


def _maps(pid: int) -> Iterator[_Mapping]:
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                span, _, offset, _, _, *path = line.rstrip("\n").split(None, 5)
                low, _, high = span.partition("-")
                yield _Mapping(int(low, 16), int(high, 16), int(offset, 16), path[0] if path else "")
    except OSError:
        return


def _elf(path: str) -> ElfFile | None:
    try:
        return ElfFile.open(path)
    except (PureBpfError, OSError):
        return None


def _symbols(file: ElfFile) -> list[Symbol]:
    try:
        return list(file.functions())
    except (ElfError, struct.error, IndexError, ValueError):
        return []


def _debug_rows(file: ElfFile, path: str, known: set[int]) -> list[tuple[int, int, str, str]]:
    """Symbols of the file's debug file, which has the same addresses, at the places of the file itself."""
    for other in _debug_files(file, path):
        debug = _elf(other)
        if debug is not None:
            rows = []
            for one in debug.addresses():
                offset = file.offset(one.offset)
                if offset is not None and offset not in known:
                    rows.append((offset, one.size, one.name, ""))
            return rows
    return []


def _debug_files(file: ElfFile, path: str) -> Iterator[str]:
    try:
        sections = {s.name: s for s in file.sections()}
    except (ElfError, struct.error, IndexError, ValueError):
        return
    note = sections.get(".note.gnu.build-id")
    if note is not None:
        identity = file.data[note.offset + 16:note.offset + note.size].hex()
        yield f"/usr/lib/debug/.build-id/{identity[:2]}/{identity[2:]}.debug"
    link = sections.get(".gnu_debuglink")
    if link is not None:
        name = os.fsdecode(file.data[link.offset:link.offset + link.size].split(b"\0")[0])
        directory = os.path.dirname(path)
        yield from (f"{directory}/{name}", f"{directory}/.debug/{name}", f"/usr/lib/debug{directory}/{name}")


def _perf_map(pid: int) -> Iterator[tuple[int, int, str, str]]:
    """What a JIT writes for perf: "START SIZE name", hexadecimal; in the process's own /tmp, under its own pid."""
    inside = pid
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            inside = next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))
    except (OSError, StopIteration):
        pass
    try:
        with open(f"/proc/{pid}/root/tmp/perf-{inside}.map", encoding="utf-8", errors="replace") as file:
            for line in file:
                start, size, name = line.rstrip("\n").split(" ", 2)
                yield int(start, 16), int(size, 16), name, "[jit]"
    except (OSError, ValueError):
        return


# ── stacks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Stack(list[int]):
    """The addresses of a stack, innermost first."""

    def symbols(self, pid: int | None = None, *, names: KernelSymbols | ProcessSymbols | None = None) -> list[Frame]:
        """A frame for each address: of the kernel, or (`pid`) of a process that still runs. `names` keeps what was read
        for several stacks. Names of C++ and Rust are demangled where the library `demangle` is installed."""
        source = names or (KernelSymbols() if pid is None else ProcessSymbols(pid))
        frames = (source.frame(address - (n > 0)) for n, address in enumerate(self))
        return [frame._replace(address=address, name=demangled(frame.name)) for frame, address in zip(frames, self)]

    def folded(self, pid: int | None = None, *, names: KernelSymbols | ProcessSymbols | None = None) -> str:
        """"main;outer;inner", outermost first, as flame graphs take it."""
        return ";".join(frame.name or f"[{frame.module or 'unknown'}]" for frame in reversed(self.symbols(pid, names=names)))


def folded(counts: Iterable[tuple[Stack, int]], name: Callable[[Stack], str]) -> str:
    """Lines "stack count" of stacks and how often each was seen, equal ones together, most first."""
    total: dict[str, int] = {}
    for stack, count in counts:
        text = name(stack)
        total[text] = total.get(text, 0) + count
    return "".join(f"{text} {count}\n" for text, count in sorted(total.items(), key=lambda item: -item[1]))
