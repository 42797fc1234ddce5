"""The assembler's words that begin with a dot: sections, data, constants, declarations of types, maps and externs.

Every entry of DIRECTIVES reads the rest of its line from the cursor. GNU as and clang spell the common ones the same;
those that mean nothing for BPF (.loc, .cfi_…, .p2align in code) are read and ignored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable, Final

from .decl import Array, CType, Proto
from .expr import Cursor, Problem, Sym, expression, printable, unescape
from .grammar import LETTERS, REGISTERS
from .insn import CoreRef
from .unit import Code, Data, Extern, MapDecl, RawSlot

if TYPE_CHECKING:
    from .asm import Assembler

Directive = Callable[["Assembler", Cursor, int], None]

_DATA_SECTIONS: Final = (".data", ".rodata", ".bss", "license", "version", ".struct_ops", "?.struct_ops", ".addr_space.")
_CORE_KINDS: Final = 13
_DROPPED: Final = (".BTF", ".debug", ".llvm", ".eh_frame", ".rel", ".maps", ".note", ".comment", ".ksyms", ".kconfig",
                   ".strtab", ".symtab")
_MAX_FILL: Final = 1 << 26  # bytes: more is a mistake
_MAP_NUMBERS: Final = ("max_entries", "key_size", "value_size", "map_extra", "numa_node")


def _rest(cursor: Cursor) -> str:
    """The rest of the line as text."""
    text = cursor.line[cursor.col:].strip() if cursor.text else ""
    cursor.at = len(cursor.tokens) - 1
    return text


def _name(cursor: Cursor, what: str) -> str:
    if not cursor.text or cursor.text[0] not in LETTERS:
        raise cursor.problem(f"expected the name of {what}")
    return cursor.take()


def _known(asm: Assembler, cursor: Cursor) -> int:
    col = cursor.col
    value = expression(cursor, asm)
    if isinstance(value, Sym):
        raise Problem(f"the value of {value.name!r} is not known here", col, len(value.name), code="unknown-name")
    return value


# sections and symbols


def _section(asm: Assembler, cursor: Cursor, number: int) -> None:
    if cursor.text.startswith('"'):
        name = unescape(cursor.take(), cursor.col).decode("utf-8", "replace")
        flags = _rest(cursor)
    else:
        name, _, flags = _rest(cursor).partition(",")
        name = printable(name.strip())
    if not name:
        raise cursor.problem("expected the name of a section")
    _enter(asm, name, flags)


def _enter(asm: Assembler, name: str, flags: str = "") -> None:
    known = asm.unit.sections.get(name)
    data = isinstance(known, Data) if known is not None else name.startswith(_DATA_SECTIONS)
    asm.enter(name, data)
    asm.dropped = name.startswith(_DROPPED)
    if asm.dropped:
        del asm.unit.sections[name]


def _fixed_section(name: str) -> Directive:
    return lambda asm, cursor, number: _enter(asm, name)


def _globl(asm: Assembler, cursor: Cursor, number: int) -> None:
    while True:
        asm.unit.globals[_name(cursor, "a symbol")] = number
        if not cursor.accept(","):
            return


def _type(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.type name, @function` of GNU as."""
    name = _name(cursor, "a symbol")
    cursor.expect(",")
    if "function" in _rest(cursor):
        asm.unit.functions[name] = number


def _ignore(asm: Assembler, cursor: Cursor, number: int) -> None:
    _rest(cursor)


# data


def _numbers(width: int) -> Directive:
    def put(asm: Assembler, cursor: Cursor, number: int) -> None:
        while True:
            col = cursor.col
            if cursor.text.startswith('"'):
                raise cursor.problem("expected a number", "text is written by .ascii or .asciz")
            value = _known(asm, cursor)
            if not -(1 << 8 * width - 1) <= value < 1 << 8 * width:
                raise Problem(f"{value} does not fit {width} bytes", col, 1, code="out-of-range")
            order = "little" if asm.unit.byteorder == "little" else "big"
            _put(asm, (value & ((1 << 8 * width) - 1)).to_bytes(width, order), number, width)  # type: ignore[arg-type]
            if not cursor.accept(","):
                return

    return put


def _put(asm: Assembler, data: bytes, number: int, width: int = 1) -> None:
    section = asm.section
    if isinstance(section, Data):
        section.units.setdefault(len(section.image), width)
        section.image += data
        return
    section.pending += data
    little = asm.unit.byteorder == "little"
    while len(section.pending) >= 8:
        slot = bytes(section.pending[:8])
        del section.pending[:8]
        code, regs = slot[0], slot[1]
        order = "little" if little else "big"
        off = int.from_bytes(slot[2:4], order, signed=True)  # type: ignore[arg-type]
        imm = int.from_bytes(slot[4:], order, signed=True)  # type: ignore[arg-type]
        section.put(RawSlot(code, regs & 15 if little else regs >> 4, regs >> 4 if little else regs & 15, off, imm), number)


def _string(end: bytes) -> Directive:
    def put(asm: Assembler, cursor: Cursor, number: int) -> None:
        while True:
            if not cursor.text.startswith('"'):
                raise cursor.problem('expected a "string"')
            col = cursor.col
            _put(asm, unescape(cursor.take(), col) + end, number)
            if not cursor.accept(","):
                return

    return put


def _zero(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.zero count [, byte]`."""
    col = cursor.col
    count = _known(asm, cursor)
    fill = _known(asm, cursor) if cursor.accept(",") else 0
    if not 0 <= count <= _MAX_FILL:
        raise Problem(f"{count} bytes", col, 1, code="out-of-range")
    _put(asm, bytes([fill & 255]) * count, number)


def _align(power: bool) -> Directive:
    def put(asm: Assembler, cursor: Cursor, number: int) -> None:
        col = cursor.col
        value = _known(asm, cursor)
        _rest(cursor)  # the fill and the limit
        if not 0 <= value <= (20 if power else 1 << 20) or (not power and value & (value - 1)):
            raise Problem(f"no alignment: {value}", col, 1, code="out-of-range")
        if isinstance(asm.section, Data):
            _pad(asm.section, 1 << value if power else max(1, value))

    return put


def _pad(section: Data, align: int) -> None:
    section.image += bytes(-len(section.image) % align)


def _insn(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.insn code, dst, src, off, imm`: one slot as it is."""
    limits = ((0, 255), (0, 15), (0, 15), (-0x8000, 0xFFFF), (-0x80000000, 0xFFFFFFFF))
    fields = []
    for n, (low, high) in enumerate(limits):
        if n:
            cursor.expect(",")
        col = cursor.col
        value = REGISTERS[cursor.take()][1] if n in (1, 2) and cursor.text in REGISTERS else _known(asm, cursor)
        if not low <= value <= high:
            raise Problem(f"{value} is out of range {low}..{high}", col, 1, code="out-of-range")
        fields.append(value)
    code, dst, src, off, imm = fields
    section = asm.code(cursor)
    if section.pending:
        raise Problem(f"{len(section.pending)} bytes of data before this instruction fill no slot of 8", cursor.cols[0], 1)
    section.put(RawSlot(code, dst, src, off - (off >> 15 << 16) if off > 0 else off,
                        imm - (imm >> 31 << 32) if imm > 0 else imm), number)


# constants and files


def _equ(asm: Assembler, cursor: Cursor, number: int) -> None:
    name = _name(cursor, "a constant")
    if name in REGISTERS:
        raise Problem(f"{name!r} is a register", cursor.cols[1], len(name))
    cursor.expect(",")
    asm.assign(name, cursor)


def _include(asm: Assembler, cursor: Cursor, number: int) -> None:
    col = cursor.col
    if not cursor.text.startswith('"'):
        raise cursor.problem('expected a "file name"')
    path = unescape(cursor.take(), col).decode("utf-8", "surrogateescape")
    if asm.include is None:
        raise Problem("this text cannot include files", col, 1, code="include")
    if asm.depth >= 20:
        raise Problem(f"{path}: files include each other without end", col, 1, code="include")
    try:
        file, text = asm.include(path, asm.unit.place(number)[0])
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read {path}: {getattr(error, 'strerror', None) or error}", col, len(path) + 2,
                      code="include") from None
    asm.read(text, file)


def _license(asm: Assembler, cursor: Cursor, number: int) -> None:
    col = cursor.col
    if not cursor.text.startswith('"'):
        raise cursor.problem('expected a "licence"')
    asm.unit.license = unescape(cursor.take(), col).decode("utf-8", "replace")


def _object(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.object "text"`, …: what an object is besides its code, as `purebpf dis --whole` wrote it."""
    asm.unit.object += _text(cursor)


def _btf(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.btf "text"`, …: the types of the `.core` relocations, as `purebpf dis` wrote them."""
    asm.unit.btf += _text(cursor)


def _text(cursor: Cursor) -> bytes:
    """Strings, one after the other."""
    out = b""
    while True:
        if not cursor.text.startswith('"'):
            raise cursor.problem('expected a "string"')
        out += unescape(cursor.take(), cursor.col)
        if not cursor.accept(","):
            return out


def _core(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.core kind, type, "access"`: the next instruction holds a number that CO-RE relocates."""
    kind, col = _known(asm, cursor), cursor.col
    cursor.expect(",")
    type_id = _known(asm, cursor)
    cursor.expect(",")
    if not 0 <= kind < _CORE_KINDS or not cursor.text.startswith('"'):
        raise Problem('expected a kind of relocation from 0 to 12, a type and an access path: .core 0, 12, "0:1"', col, 1)
    access = unescape(cursor.take(), col).decode("ascii", "replace")
    code = asm.code(cursor)
    asm.unit.cores[id(code), code.position] = CoreRef(type_id, access, kind)


# declarations


def _lines(asm: Assembler, cursor: Cursor) -> Cursor:
    """The cursor over the declaration at hand: it goes on until its braces close."""
    start = cursor.cols[cursor.at - 1]  # the word itself, which may be C's own
    text = " " * start + cursor.line[start:]
    while _open(text) > 0:
        following = next(asm.more, None)
        if following is None:
            raise cursor.problem("the declaration does not end: '}' is missing")
        text += "\n" + following[1]
    _rest(cursor)
    cursor.joined = text
    joined = Cursor(text)
    joined.take()
    return joined


def _open(text: str) -> int:
    """Braces that are open at the end, those in strings aside."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    return bare.count("{") - bare.count("}")


def _declare(kind: str) -> Directive:
    """`.struct name { … }`; the dot may be missing."""

    def put(asm: Assembler, cursor: Cursor, number: int) -> None:
        inner = _lines(asm, cursor)
        inner.at -= 1
        inner.tokens[inner.at] = kind
        asm.unit.types.depth = 0
        asm.unit.types.specifier(inner)
        inner.accept(";")
        _end(inner)
        for name, value in (v for e in asm.unit.types.enums.values() for v in e.values):
            asm.unit.equs.setdefault(name, value)

    return put


def _end(cursor: Cursor) -> None:
    if cursor.text:
        raise cursor.problem("more than the declaration")


def _typedef(asm: Assembler, cursor: Cursor, number: int) -> None:
    inner = _lines(asm, cursor)
    types = asm.unit.types
    types.depth = 0
    name, t = types.declarator(inner, types.specifier(inner))
    if not name:
        raise inner.problem("expected the name of the type")
    if types.typedefs.get(name, t) != t:
        raise inner.problem(f"type {name!r} is defined twice", code="redefined")
    types.typedefs[name] = t
    types.own.append(("typedef", name))
    inner.accept(";")
    _end(inner)


def _named(asm: Assembler, cursor: Cursor) -> tuple[str, CType, int]:
    types = asm.unit.types
    types.depth = 0
    col = cursor.col
    name, t = types.declarator(cursor, types.specifier(cursor))
    if not name:
        raise cursor.problem("expected a name")
    return name, t, col


def _proto(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.proto int add(u32 a, u32 b)`: the type of a function of this text."""
    cursor = _lines(asm, cursor)
    name, t, col = _named(asm, cursor)
    cursor.accept(";")
    if not isinstance(t, Proto):
        raise Problem(f"{name!r} is no function: write .proto int {name}(void)", col, 1)
    _end(cursor)
    asm.unit.protos[name] = (t, number)
    asm.unit.functions[name] = number


def _extern(kind: str) -> Directive:
    def put(asm: Assembler, cursor: Cursor, number: int) -> None:
        cursor = _lines(asm, cursor)
        weak = cursor.accept("weak") or cursor.accept("__weak")
        col, t = cursor.col, None
        if cursor.text[:1] in LETTERS and cursor.text and cursor.tokens[cursor.at + 1] == "":
            name = cursor.take()  # without a type
        else:
            name, t, col = _named(asm, cursor)
        weak = cursor.accept("weak") or cursor.accept("__weak") or weak
        cursor.accept(";")
        _end(cursor)
        sort = ("kfunc" if t is None or isinstance(t, Proto) else "ksym") if kind == "extern" else kind
        if name in asm.unit.symbols or name in asm.unit.maps or name in asm.unit.externs:
            raise Problem(f"{name!r} is defined twice", col, 1, code="redefined")
        if sort == "kconfig" and t is None:
            raise Problem(f"{name!r} needs a type: .kconfig u32 {name}", col, 1)
        asm.unit.externs[name] = Extern(name, sort, t, weak, number)

    return put


def _var(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.var type name [= value, …]`: a global variable in the current data section (.bss from code)."""
    cursor = _lines(asm, cursor)
    name, t, col = _named(asm, cursor)
    types, back = asm.unit.types, asm.section
    if isinstance(back, Code):
        asm.enter(".data" if cursor.text == "=" else ".bss", True)
    section = asm.section
    assert isinstance(section, Data)
    size, align = types.size(t), types.align(t)
    if size > _MAX_FILL:
        raise Problem(f"{size} bytes", col, 1, code="out-of-range")
    _pad(section, align)
    asm.define(name, number, col)
    section.types[name], section.sizes[name] = t, size
    image = _initial(asm, cursor, t, size) if cursor.accept("=") else bytes(size)
    section.image += image
    cursor.accept(";")
    asm.section = back
    _end(cursor)


def _comm(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.comm name, size [, alignment]`: a variable in .bss."""
    col, name, back = cursor.col, _name(cursor, "a variable"), asm.section
    cursor.expect(",")
    size = _known(asm, cursor)
    align = _known(asm, cursor) if cursor.accept(",") else 8
    if not 0 <= size <= _MAX_FILL or not 0 < align <= 1 << 20 or align & (align - 1):
        raise Problem(f"no size and alignment: {size}, {align}", col, 1, code="out-of-range")
    section = asm.enter(".bss", True)
    assert isinstance(section, Data)
    _pad(section, align)
    asm.define(name, number, col)
    section.sizes[name] = size
    section.image += bytes(size)
    asm.section = back


def _initial(asm: Assembler, cursor: Cursor, t: CType, size: int) -> bytes:
    """A string, or numbers for the elements of an array (a scalar is an array of one)."""
    if cursor.text.startswith('"'):
        data = unescape(cursor.take(), cursor.col)
        if len(data) > size:
            raise cursor.problem(f"{len(data)} bytes do not fit {size}", code="out-of-range")
        return data.ljust(size, b"\0")
    width = asm.unit.types.size(t.of) if isinstance(t, Array) else size
    out = bytearray()
    braces = cursor.accept("{")
    while width and len(out) < size and cursor.text not in ("", "}"):
        col = cursor.col
        value = _known(asm, cursor)
        if width > 8 or not -(1 << 8 * width - 1) <= value < 1 << 8 * width:
            raise Problem(f"{value} does not fit {width} bytes", col, 1, code="out-of-range")
        order = "little" if asm.unit.byteorder == "little" else "big"
        out += (value & ((1 << 8 * width) - 1)).to_bytes(width, order)  # type: ignore[arg-type]
        if not cursor.accept(","):
            break
    if braces:
        cursor.expect("}")
    return bytes(out).ljust(size, b"\0")


def _map(asm: Assembler, cursor: Cursor, number: int) -> None:
    """`.map name, type=hash, key=u32, value=struct x, max_entries=1024, …` (see docs/assembler.md)."""
    cursor = _lines(asm, cursor)
    col, name = cursor.col, _name(cursor, "a map")
    if name in asm.unit.maps or name in asm.unit.symbols:
        raise Problem(f"{name!r} is defined twice", col, len(name), code="redefined")
    words: dict[str, tuple[str, int]] = {}
    numbers: dict[str, int] = {}
    types: dict[str, CType] = {}
    while cursor.accept(","):
        word = _name(cursor, "an attribute")
        cursor.expect("=")
        at = cursor.col
        if word in ("key", "value"):
            asm.unit.types.depth = 0
            types[word] = asm.unit.types.type_name(cursor)
        elif word in _MAP_NUMBERS:
            numbers[word] = _known(asm, cursor)
        elif word in ("type", "flags", "pinning", "inner"):
            start = cursor.at
            while cursor.text not in ("", ","):
                cursor.take()
            words[word] = " ".join(cursor.tokens[start:cursor.at]), at
        else:
            from difflib import get_close_matches

            close = get_close_matches(word, ("key", "value", "type", "flags", "pinning", "inner", *_MAP_NUMBERS), 1)
            raise Problem(f"a map has no attribute {word!r}", at, 1, f"did you mean {close[0]!r}?" if close else "")
    _end(cursor)
    asm.unit.maps[name] = MapDecl(name, number, words, types.get("key"), types.get("value"), numbers)


DIRECTIVES: Final[dict[str, Directive]] = {
    ".section": _section, ".text": _fixed_section(".text"), ".data": _fixed_section(".data"),
    ".bss": _fixed_section(".bss"), ".rodata": _fixed_section(".rodata"),
    ".globl": _globl, ".global": _globl, ".type": _type,
    ".byte": _numbers(1), ".2byte": _numbers(2), ".short": _numbers(2), ".half": _numbers(2), ".hword": _numbers(2),
    ".4byte": _numbers(4), ".long": _numbers(4), ".int": _numbers(4), ".word": _numbers(4),
    ".8byte": _numbers(8), ".quad": _numbers(8), ".dword": _numbers(8),
    ".ascii": _string(b""), ".asciz": _string(b"\0"), ".string": _string(b"\0"),
    ".zero": _zero, ".skip": _zero, ".space": _zero,
    ".p2align": _align(True), ".align": _align(False), ".balign": _align(False),
    ".insn": _insn, ".object": _object, ".btf": _btf, ".core": _core, ".equ": _equ, ".set": _equ, ".equiv": _equ, ".include": _include, ".license": _license,
    ".struct": _declare("struct"), ".union": _declare("union"), ".enum": _declare("enum"), ".typedef": _typedef,
    "struct": _declare("struct"), "union": _declare("union"), "enum": _declare("enum"), "typedef": _typedef,
    ".proto": _proto, ".extern": _extern("extern"), ".ksym": _extern("ksym"), ".kconfig": _extern("kconfig"),
    ".var": _var, ".map": _map, ".comm": _comm, ".lcomm": _comm,
    **{word: _ignore for word in (
        ".size", ".file", ".ident", ".loc", ".addrsig", ".addrsig_sym", ".local", ".weak", ".hidden", ".cfi_startproc",
        ".cfi_endproc", ".cfi_sections", ".cfi_def_cfa_offset", ".cfi_def_cfa", ".cfi_offset", ".attribute", ".end")},
}
