"""Where a uprobe goes: "path:symbol" → the file and the offset in it, read from the ELF symbol tables.

    file offset = symbol's address − segment's address + segment's file offset
"""

from __future__ import annotations

import difflib
import os
import platform
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import AttachError, ElfError
from ..order import BY_ELF, HOST

ENOENT, EINVAL = 2, 22
_FUNC, _IFUNC = 2, 10
_LIBRARIES = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", f"/lib/{platform.machine()}-linux-gnu",
              f"/usr/lib/{platform.machine()}-linux-gnu")
_PROGRAMS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class Symbol(NamedTuple):
    """A function of an ELF file: `offset` into the file, `size` in bytes."""

    name: str
    offset: int
    size: int


def locate(target: str, pid: int = -1) -> tuple[str, int]:
    """(file, offset) of "path:symbol", "path:symbol+off" or "path:0xoffset"; `pid`: as that process sees files. Raises
    AttachError with near names."""
    path, _, rest = target.rpartition(":")
    if not path or not rest:
        raise AttachError(EINVAL, f"uprobe target {target!r}", "write 'path:symbol' or 'path:0xoffset'")
    path = find_file(path, pid)
    name, plus, extra = rest.partition("+")
    try:
        added = int(extra, 0) if plus else 0
        if name[:1].isdigit():
            return path, int(name, 0) + added
    except ValueError:
        raise AttachError(EINVAL, f"uprobe target {target!r}", "the offset is no number") from None
    bare, _, version = name.partition("@")
    known = functions(path)
    found = next((s for s in known if s.name in (name, bare + "@" + version.lstrip("@"), bare)), None)
    if found is None:
        near = difflib.get_close_matches(bare, {s.name for s in known}, 3)
        raise AttachError(ENOENT, f"{path} has no function {name!r}",
                          "did you mean " + " or ".join(map(repr, near)) + "?" if near else
                          "" if known else "the file has no symbols: give an offset, 'path:0x1234'", reason="")
    return path, found.offset + added


def matching(path: str, pattern: str) -> list[Symbol]:
    """The functions of a file whose name fits a shell pattern, each place once."""
    import fnmatch

    places = {s.offset: s for s in functions(path) if fnmatch.fnmatchcase(s.name, pattern)}
    return [places[offset] for offset in sorted(places)]


def find_file(name: str, pid: int = -1) -> str:
    """A path as given, or a bare name looked up as a library (x.so…) in the usual directories, or as a program, where the
    shell finds it or in those. Of a process: what it has mapped under this name, or a path in its own root. Raises
    AttachError."""
    if pid > 0:
        found = _of_process(name, pid)
        if found:
            return found
    if "/" in name:
        if os.path.exists(name):
            return os.path.realpath(name)
        raise AttachError(ENOENT, f"file {name!r} does not exist", reason="")
    if ".so" not in name:
        import shutil

        found = shutil.which(name) or ""
        if found:
            return os.path.realpath(found)
    for directory in _LIBRARIES if ".so" in name else _PROGRAMS:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            return os.path.realpath(path)
    raise AttachError(ENOENT, f"file {name!r} is in none of the usual directories", "give its whole path", reason="")


def _of_process(name: str, pid: int) -> str:
    """A file by its path there, "" if the process has none of this name."""
    root = f"/proc/{pid}/root"
    if "/" in name:
        path = root + os.path.abspath(name)
        return path if os.path.exists(path) and not (os.path.exists(name) and os.path.samefile(path, name)) else ""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as file:
            paths = {line.rstrip("\n").split(None, 5)[5] for line in file if line.count(" ") > 4 and "/" in line}
    except OSError:
        return ""
    found = next((path for path in sorted(paths) if os.path.basename(path) == name), "")
    return "" if not found else found if _same(found, root + found) else root + found


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


class Section(NamedTuple):
    """One of an ELF file; `link` is the number of the section that belongs to it."""

    name: str
    kind: int
    address: int
    offset: int
    size: int
    link: int


class ElfFile:
    """A 64-bit ELF file: its sections, and where addresses are in it."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\x7fELF":
            raise ElfError("this is no ELF file")
        if data[4:5] != b"\x02":
            raise ElfError("no 64-bit ELF file")
        self.data, self.order = data, (BY_ELF.get(data[5]) or HOST).mark
        phoff, self._shoff = struct.unpack_from(self.order + "QQ", data, 32)
        phsize, phcount, self._shsize, self._shcount, self._names = struct.unpack_from(self.order + "5H", data, 54)
        self._segments = []
        for n in range(phcount):
            kind, _, offset, address, _, size = struct.unpack_from(self.order + "IIQQQQ", data, phoff + n * phsize)
            if kind == 1:  # PT_LOAD
                self._segments.append((address, address + size, offset - address))

    @classmethod
    def open(cls, path: str) -> ElfFile:
        """Raises AttachError, ElfError."""
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise AttachError(error.errno or EINVAL, f"reading {path}") from None
        try:
            return cls(data)
        except ElfError as error:
            raise ElfError(str(error), source=path) from None
        except (struct.error, IndexError, ValueError):
            raise ElfError("the file is cut short or malformed", source=path) from None

    def offset(self, address: int) -> int | None:
        """Where an address of memory is in the file, None if no segment has it."""
        return next((address + shift for low, high, shift in self._segments if low <= address < high), None)

    def sections(self) -> Iterator[Section]:
        names = struct.unpack_from(self.order + "Q", self.data, self._shoff + self._names * self._shsize + 24)[0]
        for n in range(self._shcount):
            name, kind, _, address, offset, size, link = struct.unpack_from(
                self.order + "IIQQQQI", self.data, self._shoff + n * self._shsize)
            yield Section(self.text(names + name), kind, address, offset, size, link)

    def text(self, start: int) -> str:
        """The string at a place of the file."""
        return self.data[start:self.data.index(b"\0", start)].decode(errors="replace")

    def functions(self) -> Iterator[Symbol]:
        """The defined ones of .symtab and .dynsym."""
        for one in self.addresses():
            offset = self.offset(one.offset)
            if offset is not None:
                yield one._replace(offset=offset)

    def addresses(self) -> Iterator[Symbol]:
        """The same with addresses of memory for `offset`."""
        sections = list(self.sections())
        for section in sections:
            if section.kind in (2, 11):  # SYMTAB, DYNSYM
                table = self.data[section.offset:section.offset + section.size]
                for name, info, _, index, value, size in struct.iter_unpack(self.order + "IBBHQQ", table):
                    if info & 15 in (_FUNC, _IFUNC) and index and value:
                        yield Symbol(self.text(sections[section.link].offset + name), value, size)


def functions(path: str) -> list[Symbol]:
    """Every defined function of an ELF file, from .symtab and .dynsym. Raises AttachError, ElfError."""
    file = ElfFile.open(path)
    try:
        return list(file.functions())
    except (struct.error, IndexError, ValueError):
        raise ElfError("the file is cut short or malformed", source=path) from None
