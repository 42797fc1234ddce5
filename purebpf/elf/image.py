"""A relocatable ELF64 file being written: sections, symbols, relocations, strings. Knows ELF, not BPF objects.

    header │ section data, each aligned │ section headers

One string table serves sections and symbols, as in clang's objects. Local symbols come first, as ELF demands; symbols
are handles until `to_bytes` gives them numbers.
"""

from __future__ import annotations

import struct
from typing import Final

from ..order import Order

PROGBITS: Final = 1
SYMTAB: Final = 2
STRTAB: Final = 3
NOBITS: Final = 8
REL: Final = 9

WRITE: Final = 1
ALLOC: Final = 2
EXEC: Final = 4
INFO_LINK: Final = 0x40

LOCAL: Final = 0
GLOBAL: Final = 1
WEAK: Final = 2

NOTYPE: Final = 0
OBJECT: Final = 1
FUNC: Final = 2
SECTION: Final = 3

_MACHINE_BPF: Final = 247


class Section:
    """`data` may grow until the image is written; `size` of NOBITS has no bytes in the file."""

    __slots__ = ("name", "type", "flags", "align", "data", "size", "index", "relocations", "_symbol")

    def __init__(self, name: str, type: int, flags: int, align: int, data: bytes, size: int, index: int) -> None:
        self.name, self.type, self.flags, self.align, self.index = name, type, flags, align, index
        self.data, self.size = data, size
        self.relocations: list[tuple[int, Symbol, int]] = []
        self._symbol: Symbol | None = None


class Symbol:
    """`section` None: undefined."""

    __slots__ = ("name", "section", "value", "size", "type", "bind", "hidden")

    def __init__(self, name: str, section: Section | None, value: int, size: int, type: int, bind: int,
                 hidden: bool = False) -> None:
        self.hidden = hidden
        self.name, self.section, self.value, self.size, self.type, self.bind = name, section, value, size, type, bind


class Image:
    """Collects, then `to_bytes`."""

    __slots__ = ("sections", "symbols", "order")

    def __init__(self, order: Order) -> None:
        self.sections: list[Section] = []
        self.symbols: list[Symbol] = []
        self.order = order

    def section(self, name: str, type: int = PROGBITS, flags: int = 0, *, align: int = 1, data: bytes = b"",
                size: int = 0) -> Section:
        """A new section; `size` for NOBITS only."""
        made = Section(name, type, flags, align, data, size if type == NOBITS else len(data), len(self.sections) + 2)
        self.sections.append(made)
        return made

    def symbol(self, name: str, section: Section | None, value: int = 0, size: int = 0, type: int = NOTYPE,
               bind: int = GLOBAL, hidden: bool = False) -> Symbol:
        """A new symbol."""
        made = Symbol(name, section, value, size, type, bind, hidden)
        self.symbols.append(made)
        return made

    def section_symbol(self, section: Section) -> Symbol:
        """The symbol that stands for a section itself, made on first use."""
        if section._symbol is None:
            section._symbol = self.symbol("", section, type=SECTION, bind=LOCAL)
        return section._symbol

    def to_bytes(self) -> bytes:
        """The file. Section 1 is the string table, the last one the symbol table."""
        strings = _Strings()
        symbols = sorted(self.symbols, key=lambda s: s.bind != LOCAL)
        number = {id(symbol): i for i, symbol in enumerate(symbols, 1)}
        mark = self.order.mark
        symtab_index = 2 + len(self.sections) + sum(bool(s.relocations) for s in self.sections)
        rows: list[tuple[str, int, int, bytes, int, int, int, int, int]] = []
        for s in self.sections:
            rows.append((s.name, s.type, s.flags, s.data, s.size, 0, 0, s.align, 0))
        rel = struct.Struct(mark + "QQ")
        for s in self.sections:
            if s.relocations:
                data = b"".join(rel.pack(at, number[id(symbol)] << 32 | kind) for at, symbol, kind in sorted(
                    s.relocations, key=lambda r: r[0]))
                rows.append((f".rel{s.name}", REL, INFO_LINK, data, len(data), symtab_index, s.index, 8, 16))
        entry = struct.Struct(mark + "IBBHQQ")
        table = bytes(24) + b"".join(
            entry.pack(strings.add(s.name), s.bind << 4 | s.type, 2 if s.hidden else 0, s.section.index if s.section else 0, s.value,
                       s.size)
            for s in symbols)
        local = 1 + sum(s.bind == LOCAL for s in symbols)
        rows.append((".symtab", SYMTAB, 0, table, len(table), 1, local, 8, 24))
        names = [strings.add(row[0]) for row in rows]
        own = strings.add(".strtab")
        return self._assemble(mark, [(own, STRTAB, 0, bytes(strings.data), len(strings.data), 0, 0, 1, 0),
                                     *((name, *row[1:]) for name, row in zip(names, rows))])

    def _assemble(self, mark: str, rows: list[tuple[int, int, int, bytes, int, int, int, int, int]]) -> bytes:
        out = bytearray(64)
        header = struct.Struct(mark + "IIQQQQIIQQ")
        headers = [bytes(64)]
        for name, type, flags, data, size, link, info, align, entsize in rows:
            out += bytes(-len(out) % align)
            headers.append(header.pack(name, type, flags, 0, len(out), size, link, info, align, entsize))
            if type != NOBITS:
                out += data
        out += bytes(-len(out) % 8)
        ident = b"\x7fELF\x02" + bytes([self.order.elf]) + b"\x01" + bytes(9)
        out[:64] = ident + struct.pack(mark + "HHIQQQIHHHHHH", 1, _MACHINE_BPF, 1, 0, 0, len(out), 0, 64, 0, 0, 64,
                                       len(headers), 1)
        return bytes(out) + b"".join(headers)


class _Strings:
    """The string table."""

    __slots__ = ("data", "_at")

    def __init__(self) -> None:
        self.data = bytearray(b"\0")
        self._at: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        at = self._at.get(text)
        if at is None:
            at = self._at[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return at
