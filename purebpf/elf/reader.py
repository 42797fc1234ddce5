"""An object file taken apart, as plain data. Nothing in the file is trusted: every place is looked up within the bytes that
are there, and what claims to be larger than a file of objects ever is, is refused before memory is taken for it.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ..errors import ElfError
from ..order import BY_ELF, Order
from .image import EXEC, NOBITS, REL

_MAX_BSS: Final = 1 << 26  # the kernel's arrays go further, but nobody's sections do
_MAX_SECTIONS: Final = 1 << 16
_ET_REL: Final = 1
_EM_BPF: Final = 247
_STRTAB: Final = 3
_ALLOC: Final = 2
_RESERVED: Final = 0xFF00  # section numbers from here on are none
_STT_FILE: Final = 4
_STB_WEAK: Final = 2
_DEBUG: Final = (".debug", ".rel.debug", ".zdebug")
_COMPRESSED: Final = 0x800
_RELA: Final = 4
_SYMTAB: Final = 2


class Section(NamedTuple):
    """`data` is the content, zeros for NOBITS. `relocations`: (offset, symbol, type)."""

    name: str
    type: int
    flags: int
    data: bytes
    relocations: list[tuple[int, "Symbol", int]]


class Symbol(NamedTuple):
    """`section` is an index of File.sections; 0: undefined, -1: absolute or common."""

    name: str
    section: int
    value: int
    size: int
    type: int
    bind: int
    hidden: bool


class File(NamedTuple):
    """An ELF file's sections and symbols, numbered as in the file."""

    sections: list[Section]
    symbols: list[Symbol]
    order: Order

    def named(self, name: str) -> Section | None:
        """The section called `name`."""
        return next((s for s in self.sections if s.name == name), None)


def parse(data: bytes) -> File:
    """Take a relocatable BPF object apart. ElfError if it is none, or malformed."""
    if data[:4] != b"\x7fELF":
        raise ElfError("not an ELF file")
    try:
        return _Parser(data).run()
    except (struct.error, IndexError):
        raise ElfError("malformed ELF file: it is cut short") from None


class _Header(NamedTuple):
    """A section header (Elf64_Shdr)."""

    name: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


class _Parser:
    """State of one `parse`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        if len(data) < 64 or data[4] not in (1, 2) or data[5] not in BY_ELF:
            raise ElfError("malformed ELF file: no header")
        self.order = BY_ELF[data[5]]
        self.mark = self.order.mark
        kind, machine = struct.unpack_from(self.mark + "HH", data, 16)
        if data[4] != 2 or kind != _ET_REL or machine not in (_EM_BPF, 0):
            raise ElfError(f"not a BPF object: machine {machine}, type {kind}, {32 * data[4]} bits")
        self.headers: list[_Header] = []
        self.zeros = 0  # bytes of all NOBITS sections

    def run(self) -> File:
        headers, strings = self._headers()
        sections = [Section(self._text(strings, h.name), h.type, h.flags, self._content(h, self._text(strings, h.name)), [])
                    for h in headers]
        symtabs = [i for i, h in enumerate(headers) if h.type == _SYMTAB]
        if len(symtabs) != 1:
            raise ElfError(f"{len(symtabs)} symbol tables, want one")
        symbols = self._symbols(headers[symtabs[0]], sections)
        for header, section in zip(headers, sections):
            if header.type == REL:
                self._relocations(header, section, sections, symbols, symtabs[0])
            elif header.type == _RELA and header.info < len(sections) and sections[header.info].flags & EXEC:
                raise ElfError(f"section {section.name!r} has relocations with addends, which BPF objects do not use")
        return File(sections, symbols, self.order)

    def _headers(self) -> tuple[list[_Header], bytes]:
        """The section headers, and the strings with their names."""
        table, = struct.unpack_from(self.mark + "Q", self.data, 40)
        size, count, names = struct.unpack_from(self.mark + "HHH", self.data, 58)
        if size != 64 or not table:
            raise ElfError("malformed ELF file: no table of sections")
        one = struct.Struct(self.mark + "IIQQQQIIQQ")
        if not count:  # so many that the first header says how many
            count = _Header(*one.unpack_from(self.data, table)).size
        if count > _MAX_SECTIONS or table + 64 * count > len(self.data):
            raise ElfError(f"{count} sections are too many for the file")
        headers = [_Header(*one.unpack_from(self.data, table + 64 * i)) for i in range(count)]
        names = headers[0].link if names == 0xFFFF else names
        return headers, self._strings(headers, names)

    def _strings(self, headers: list[_Header], index: int) -> bytes:
        if index >= len(headers) or headers[index].type != _STRTAB:
            raise ElfError(f"section {index} is no string table")
        header = headers[index]
        if header.offset + header.size > len(self.data):
            raise ElfError("a string table is cut short")
        self.headers = headers
        return self.data[header.offset:header.offset + header.size]

    @staticmethod
    def _text(strings: bytes, at: int) -> str:
        end = strings.find(b"\0", at)
        if end < 0:
            raise ElfError(f"name at {at:#x} is outside of the string table")
        try:
            return strings[at:end].decode()
        except UnicodeDecodeError:
            raise ElfError(f"name at {at:#x} is not UTF-8") from None

    def _content(self, header: _Header, name: str) -> bytes:
        if header.type in (0, _SYMTAB, _STRTAB) or not header.flags & _ALLOC and name.startswith(_DEBUG):
            return b""
        if header.type == NOBITS:
            self.zeros += header.size
            if self.zeros > _MAX_BSS:
                raise ElfError(f"section {name!r} of {header.size} bytes is too large: {_MAX_BSS >> 20} MiB in all may be empty")
            return bytes(header.size)
        if header.flags & _COMPRESSED:
            if header.flags & _ALLOC:
                raise ElfError(f"section {name!r} is compressed")
            return b""
        if header.offset + header.size > len(self.data):
            raise ElfError(f"section {name!r} is cut short")
        return self.data[header.offset:header.offset + header.size]

    def _symbols(self, table: _Header, sections: list[Section]) -> list[Symbol]:
        if table.entry != 24 or table.size % 24 or table.offset + table.size > len(self.data):
            raise ElfError("the symbol table is malformed")
        strings = self._strings(self.headers, table.link)
        out: list[Symbol] = []
        for name_at, info, other, where, value, size in struct.iter_unpack(
                self.mark + "IBBHQQ", self.data[table.offset:table.offset + table.size]):
            name = self._text(strings, name_at) if name_at else ""
            section = where if where < _RESERVED else -1
            if section >= len(sections):
                raise ElfError(f"symbol {name!r} is in section {section}, but there are {len(sections)}")
            kind, bind = info & 15, info >> 4
            out.append(Symbol(name, section, value, size, kind if kind <= _STT_FILE else -1, bind if bind <= _STB_WEAK else -1,
                              other & 3 in (1, 2)))
        return out

    def _relocations(self, header: _Header, own: Section, sections: list[Section], symbols: list[Symbol],
                     symtab: int) -> None:
        """Hang the entries on the section they are for; those of debug information are nobody's business."""
        if header.entry != 16 or header.size % 16 or header.info >= len(sections) or header.link != symtab:
            raise ElfError(f"relocations {own.name!r} are malformed")
        target = sections[header.info]
        if target.type == NOBITS:
            raise ElfError(f"relocations {own.name!r} are for a section without content")
        if not target.flags & _ALLOC:
            return
        for offset, info in struct.iter_unpack(self.mark + "QQ", own.data):
            if info >> 32 >= len(symbols):
                raise ElfError(f"relocations {own.name!r} refer to symbol {info >> 32} of {len(symbols)}")
            target.relocations.append((offset, symbols[info >> 32], info & 0xFFFFFFFF))
