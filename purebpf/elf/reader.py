"""An object file taken apart, as plain data: what pyelftools says, checked and freed of it.

pyelftools trusts its input: whatever it raises on a malformed file becomes an ElfError here.
"""

from __future__ import annotations

from typing import Any, Final, Mapping, NamedTuple

from ..errors import ElfError
from .image import NOBITS, REL

_MAX_BSS: Final = 1 << 28
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
    byteorder: str

    def named(self, name: str) -> Section | None:
        """The section called `name`."""
        return next((s for s in self.sections if s.name == name), None)


def parse(data: bytes) -> File:
    """Take a relocatable BPF object apart. ElfError if it is none, or malformed."""
    if data[:4] != b"\x7fELF":
        raise ElfError("not an ELF file")
    try:
        return _parse(data)
    except ElfError:
        raise
    except Exception as e:  # pyelftools checks nothing: construct, struct, Unicode, zero division, index errors …
        raise ElfError(f"malformed ELF file ({type(e).__name__}: {str(e)[:80]})") from None


def _parse(data: bytes) -> File:
    from io import BytesIO

    from elftools.elf.elffile import ELFFile

    elf: Any = ELFFile(BytesIO(data))
    header = elf.header
    if elf.elfclass != 64 or header["e_type"] != "ET_REL" or header["e_machine"] not in ("EM_BPF", "EM_NONE"):
        raise ElfError(f"not a BPF object: {header['e_machine']}, {header['e_type']}, {elf.elfclass} bits")
    if elf.num_sections() > 1 << 16:
        raise ElfError(f"{elf.num_sections()} sections are too many")
    sections: list[Section] = []
    tables: list[Any] = []
    for index in range(elf.num_sections()):
        found = elf.get_section(index)
        tables.append(found)
        sections.append(Section(found.name, _number(found["sh_type"]), found["sh_flags"], _content(found, len(data)),
                                []))
    symtabs = [i for i, s in enumerate(sections) if s.type == _SYMTAB]
    if len(symtabs) != 1:
        raise ElfError(f"{len(symtabs)} symbol tables, want one")
    symbols = _symbols(tables[symtabs[0]], sections, len(data))
    for index, section in enumerate(sections):
        if section.type == REL:
            _relocations(tables[index], section, sections, symbols, symtabs[0], "<" if elf.little_endian else ">")
        elif section.type == _RELA and _is_code(sections, tables[index]["sh_info"]):
            raise ElfError(f"section {section.name!r} has relocations with addends, which BPF objects do not use")
    return File(sections, symbols, "little" if elf.little_endian else "big")


def _is_code(sections: list[Section], index: int) -> bool:
    return index < len(sections) and bool(sections[index].flags & 4)


def _number(kind: Any) -> int:
    from elftools.elf.enums import ENUM_SH_TYPE_BASE

    known: Mapping[str, int] = ENUM_SH_TYPE_BASE
    return kind if isinstance(kind, int) else known.get(kind, -1)


def _content(section: Any, file_size: int) -> bytes:
    size = section["sh_size"]
    kind = section["sh_type"]
    if kind in ("SHT_NULL", "SHT_SYMTAB_SHNDX"):
        return b""
    if kind == "SHT_NOBITS":
        if size > _MAX_BSS:
            raise ElfError(f"section {section.name!r} of {size} bytes is too large")
        return bytes(size)
    if section["sh_flags"] & _COMPRESSED:
        if section["sh_flags"] & 2:
            raise ElfError(f"section {section.name!r} is compressed")
        return b""
    if section["sh_offset"] + size > file_size:
        raise ElfError(f"section {section.name!r} is cut short")
    content: bytes = section.data()
    return content


def _symbols(table: Any, sections: list[Section], file_size: int) -> list[Symbol]:
    if table["sh_entsize"] != 24 or table["sh_size"] % 24 or table["sh_size"] > file_size:
        raise ElfError("the symbol table is malformed")
    types = {"STT_NOTYPE": 0, "STT_OBJECT": 1, "STT_FUNC": 2, "STT_SECTION": 3, "STT_FILE": 4}
    binds = {"STB_LOCAL": 0, "STB_GLOBAL": 1, "STB_WEAK": 2}
    out: list[Symbol] = []
    for one in table.iter_symbols():
        where = one["st_shndx"]
        section = where if isinstance(where, int) else 0 if where == "SHN_UNDEF" else -1
        if section >= len(sections):
            raise ElfError(f"symbol {one.name!r} is in section {section}, but there are {len(sections)}")
        info = one["st_info"]
        hidden = one["st_other"]["visibility"] in ("STV_HIDDEN", "STV_INTERNAL")
        out.append(Symbol(one.name, section, one["st_value"], one["st_size"], types.get(info["type"], -1),
                          binds.get(info["bind"], -1), hidden))
    return out


def _relocations(table: Any, own: Section, sections: list[Section], symbols: list[Symbol], symtab: int,
                 mark: str) -> None:
    """Hang the entries on the section they are for."""
    from struct import iter_unpack

    target = table["sh_info"]
    if table["sh_entsize"] != 16 or len(own.data) % 16 or target >= len(sections) or table["sh_link"] != symtab:
        raise ElfError(f"relocations {own.name!r} are malformed")
    if sections[target].type == NOBITS:
        raise ElfError(f"relocations {own.name!r} are for a section without content")
    into = sections[target].relocations
    for offset, info in iter_unpack(mark + "QQ", own.data):
        if info >> 32 >= len(symbols):
            raise ElfError(f"relocations {own.name!r} refer to symbol {info >> 32} of {len(symbols)}")
        into.append((offset, symbols[info >> 32], info & 0xFFFFFFFF))
