"""C declarations in assembly text: types, prototypes, variables; their sizes and offsets.

The types are plain values that need no BTF; `purebpf.assembler` turns them into it. Layout is that of the BPF target:
64-bit pointers, natural alignment, bit-fields packed into units of their declared type.
"""

from __future__ import annotations

from functools import partial
from typing import Callable, Final, NamedTuple, TypeVar, Union

from .expr import Cursor, Problem, Scope, expression
from .grammar import LETTERS


class Base(NamedTuple):
    """An integer: `encoding` is "u", "s", "char" or "bool"."""

    name: str
    size: int
    encoding: str


class Void(NamedTuple):
    kind: str = "void"


class Pointer(NamedTuple):
    to: "CType"


class Array(NamedTuple):
    of: "CType"
    length: int


class Named(NamedTuple):
    """`struct x`, `union x`, `enum x` or a typedef's name (kind "typedef"), defined or not."""

    kind: str
    name: str


class Proto(NamedTuple):
    """A function type: parameters as (name, type)."""

    result: "CType"
    params: tuple[tuple[str, "CType"], ...]


CType = Union[Base, Void, Pointer, Array, Named, Proto]


class Field(NamedTuple):
    """A member at `bit` bits from the start; `bits` is 0 for anything but a bit-field. An anonymous one has name ""."""

    name: str
    type: CType
    bit: int
    bits: int


class Struct(NamedTuple):
    """The definition of a struct or union."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    size: int
    align: int
    packed: bool = False


class Enum(NamedTuple):
    name: str
    values: tuple[tuple[str, int], ...]


_INTS: Final = {
    "char": Base("char", 1, "char"), "signed char": Base("signed char", 1, "s"), "bool": Base("_Bool", 1, "bool"),
    "_Bool": Base("_Bool", 1, "bool"),
    "unsigned char": Base("unsigned char", 1, "u"), "short": Base("short", 2, "s"),
    "unsigned short": Base("unsigned short", 2, "u"), "int": Base("int", 4, "s"), "signed": Base("int", 4, "s"),
    "unsigned": Base("unsigned int", 4, "u"), "unsigned int": Base("unsigned int", 4, "u"),
    "long": Base("long", 8, "s"), "unsigned long": Base("unsigned long", 8, "u"),
    "long long": Base("long long", 8, "s"), "unsigned long long": Base("unsigned long long", 8, "u"),
}
_KERNEL_INTS: Final = {
    f"{prefix}{letter}{width}": base
    for letter, bases in (("u", ("unsigned char", "unsigned short", "unsigned int", "unsigned long long")),
                          ("s", ("signed char", "short", "int", "long long")))
    for width, base in zip((8, 16, 32, 64), bases) for prefix in ("", "__")
}
_STANDARD_INTS: Final = {f"{sign}int{width}_t": _KERNEL_INTS[f"{letter}{width}"] for sign, letter in (("u", "u"), ("", "s"))
                 for width in (8, 16, 32, 64)}
_SHORT_INTS: Final = {f"i{width}": _KERNEL_INTS[f"s{width}"] for width in (8, 16, 32, 64)}
_ORDERED_INTS: Final = {f"__{order}{width}": _KERNEL_INTS[f"u{width}"] for order in ("be", "le") for width in (16, 32, 64)}
_WORDS: Final = frozenset(("char", "short", "int", "long", "signed", "unsigned", "_Bool", "bool"))
_QUALIFIERS: Final = frozenset(("const", "volatile", "static", "extern", "restrict"))
_NEST: Final = 30
_T = TypeVar("_T")


class Types(Scope):
    """What a text has declared; also the scope of its expressions, as far as types go."""

    def __init__(self) -> None:
        self.structs: dict[tuple[str, str], Struct] = {}
        self.enums: dict[str, Enum] = {}
        self.typedefs: dict[str, CType] = {
            name: _INTS[base] for name, base in (_KERNEL_INTS | _STANDARD_INTS | _ORDERED_INTS | _SHORT_INTS).items()}
        self.own: list[tuple[str, str]] = []  # (kind, name) in order of declaration
        self.depth = 0

    # sizes

    def size(self, t: CType) -> int:
        """Bytes of a type; Problem for one that has no size here (void, an undefined struct)."""
        return self._measure(t)[0]

    def align(self, t: CType) -> int:
        return self._measure(t)[1]

    def _measure(self, t: CType) -> tuple[int, int]:
        if isinstance(t, Base):
            return t.size, t.size
        if isinstance(t, Pointer):
            return 8, 8
        if isinstance(t, Array):
            size, align = self._measure(t.of)
            return size * t.length, align
        if isinstance(t, Named):
            if t.kind == "typedef":
                return self._measure(self.typedefs[t.name])
            if t.kind == "enum":
                return 4, 4
            struct = self.structs.get((t.kind, t.name))
            if struct is not None:
                return struct.size, struct.align
            raise Problem(f"{t.kind} {t.name} is not defined", help=f"declare it: .struct {t.name} {{ u32 a; u64 b; }}")
        raise Problem("void and functions have no size")

    def member(self, t: CType, name: str) -> tuple[int, CType]:
        """Byte offset and type of a member, also inside anonymous members."""
        while isinstance(t, Named) and t.kind == "typedef":
            t = self.typedefs[t.name]
        struct = self.structs.get((t.kind, t.name)) if isinstance(t, Named) else None
        if struct is None:
            raise Problem("offsetof wants a declared struct or union")
        for field in struct.fields:
            if field.name == name:
                if field.bits:
                    raise Problem(f"{name} is a bit-field: it has no offset in bytes")
                return field.bit // 8, field.type
            if not field.name:
                try:
                    inner, found = self.member(field.type, name)
                except Problem:
                    continue
                return field.bit // 8 + inner, found
        raise Problem(f"{struct.kind} {struct.name} has no member {name!r}", help="its members: "
                      + ", ".join(f.name for f in struct.fields if f.name))

    def sizeof(self, cursor: Cursor) -> int:
        col = cursor.col
        cursor.expect("(")
        result = self._at(col, lambda: self.size(self.type_name(cursor)))
        cursor.expect(")")
        return result

    def offsetof(self, cursor: Cursor) -> int:
        col = cursor.col
        cursor.expect("(")
        t: CType = self.type_name(cursor)
        cursor.expect(",")
        total = 0
        while True:
            for name in cursor.take().split("."):  # "a.b" is one token
                step, t = self._at(col, partial(self.member, t, name))
                total += step
            while isinstance(t, Array) and cursor.accept("["):
                index = self.constant(cursor)
                cursor.expect("]")
                element = t.of
                t, total = element, total + index * self.size(element)
            if not cursor.text.startswith("."):
                break
            cursor.tokens[cursor.at] = cursor.text[1:]
        cursor.expect(")")
        return total

    @staticmethod
    def _at(col: int, run: Callable[[], _T]) -> _T:
        try:
            return run()
        except Problem as problem:
            problem.col = problem.col or col
            raise

    def constant(self, cursor: Cursor) -> int:
        """An expression whose value is known now."""
        col = cursor.col
        value = expression(cursor, self)
        if not isinstance(value, int):
            raise Problem(f"the value of {value.name!r} is not known here", col, len(value.name))
        return value

    # declarations

    def type_name(self, cursor: Cursor) -> CType:
        """A type without a declared name: `u32`, `struct x *`, `char[16]`."""
        _, t = self.declarator(cursor, self.specifier(cursor))
        return t

    def specifier(self, cursor: Cursor) -> CType:
        """What stands left of the declarators."""
        while cursor.text in _QUALIFIERS:
            cursor.take()
        word, col = cursor.text, cursor.col
        if word in ("struct", "union", "enum"):
            cursor.take()
            name = cursor.take() if cursor.text and cursor.text[0] in LETTERS else ""
            if cursor.text == "{":
                name = name or f"({word} {len(self.own)})"  # anonymous: no C name looks like that
                self.body(cursor, word, name)
            elif not name:
                raise cursor.problem(f"expected the name of the {word}")
            result: CType = Named(word, name)
        elif word == "void":
            cursor.take()
            result = Void()
        elif word in _WORDS:
            words = []
            while cursor.text in _WORDS:
                words.append(cursor.take())
            result = _integer(words, col)
        elif word in self.typedefs:
            cursor.take()
            result = Named("typedef", word)
        else:
            from difflib import get_close_matches

            close = get_close_matches(word, [*self.typedefs, *_WORDS, "struct", "union"], 1)
            raise cursor.problem("expected a type", f"did you mean {close[0]!r}?" if close else "", "unknown-type")
        while cursor.text in _QUALIFIERS:
            cursor.take()
        return result

    def declarator(self, cursor: Cursor, t: CType) -> tuple[str, CType]:
        """`* name [4]` or `name(params)` after a specifier: the name ("" if none) and the whole type."""
        while cursor.text in ("*", *_QUALIFIERS):
            if cursor.take() == "*":
                t = Pointer(t)
        if cursor.text == "(" and cursor.tokens[cursor.at + 1] == "*":
            return self._inner(cursor, t)
        name = ""
        if cursor.text and cursor.text[0] in LETTERS:
            name = cursor.take()
        return name, self._suffix(cursor, t)

    def _inner(self, cursor: Cursor, t: CType) -> tuple[str, CType]:
        """`(*name)(params)`: what stands behind the parentheses applies first."""
        self.depth += 1
        if self.depth > _NEST:
            raise cursor.problem("types are nested too deep")
        cursor.take()
        start, open_ = cursor.at, 1
        while open_ and cursor.text:
            open_ += {"(": 1, ")": -1}.get(cursor.take(), 0)
        t = self._suffix(cursor, t)
        end, cursor.at = cursor.at, start
        found = self.declarator(cursor, t)
        cursor.expect(")")
        cursor.at = end
        self.depth -= 1
        return found

    def _suffix(self, cursor: Cursor, t: CType) -> CType:
        """`(params)` or `[4][5]`."""
        if cursor.accept("("):
            return Proto(t, self._params(cursor))
        counts = []
        while cursor.accept("["):
            counts.append(0 if cursor.text == "]" else self.constant(cursor))
            cursor.expect("]")
        for count in reversed(counts):
            if not 0 <= count < 1 << 32:
                raise cursor.problem(f"an array of {count} elements")
            t = Array(t, count)
        return t

    def _params(self, cursor: Cursor) -> tuple[tuple[str, CType], ...]:
        params: list[tuple[str, CType]] = []
        if cursor.text == "void" and cursor.tokens[cursor.at + 1] == ")":
            cursor.take()
        while cursor.text != ")":
            params.append(self.declarator(cursor, self.specifier(cursor)))
            if not cursor.accept(","):
                break
        cursor.expect(")")
        return tuple(params)

    def body(self, cursor: Cursor, kind: str, name: str) -> None:
        """`{ … }` of a struct, union or enum, whose definition is kept under its name."""
        key = (kind, name)
        if key in self.structs or (kind == "enum" and name in self.enums):
            raise cursor.problem(f"{kind} {name} is defined twice", code="redefined")
        self.depth += 1
        if self.depth > _NEST:
            raise cursor.problem("types are nested too deep")
        cursor.expect("{")
        if kind == "enum":
            self.enums[name] = Enum(name, self._enumerators(cursor))
        else:
            fields = self._fields(cursor, kind)
            packed, align = self._attributes(cursor)
            self.structs[key] = self.lay_out(kind, name, fields, packed, align)
        self.own.append(key)
        self.depth -= 1

    def _attributes(self, cursor: Cursor) -> tuple[bool, int]:
        """`__packed`, `__attribute__((packed, aligned(8)))`."""
        packed, align = cursor.accept("__packed"), 1
        while cursor.accept("__attribute__"):
            cursor.expect("(")
            cursor.expect("(")
            while not cursor.accept(")"):
                word = cursor.take()
                if word in ("aligned", "__aligned__"):
                    cursor.expect("(")
                    align = self.constant(cursor)
                    cursor.expect(")")
                    if not 0 < align <= 1 << 20 or align & (align - 1):
                        raise cursor.problem(f"no alignment: {align}")
                elif word in ("packed", "__packed__"):
                    packed = True
                elif word != ",":
                    raise cursor.problem(f"unknown attribute {word!r}")
            cursor.expect(")")
        return packed, align

    def _fields(self, cursor: Cursor, kind: str) -> list[tuple[str, CType, int]]:
        fields: list[tuple[str, CType, int]] = []
        while not cursor.accept("}"):
            base = self.specifier(cursor)
            while True:
                name, t = self.declarator(cursor, base)
                bits = 0
                if cursor.accept(":"):
                    bits = self.constant(cursor)
                    if not 1 <= bits <= 8 * self.size(t):
                        raise cursor.problem(f"a bit-field of {bits} bits does not fit its type")
                if isinstance(t, (Proto, Void)) or (not name and not isinstance(t, Named) and not bits):
                    raise cursor.problem("this is no member")
                if name in [f[0] for f in fields if f[0]]:
                    raise cursor.problem(f"member {name!r} is declared twice", code="redefined")
                fields.append((name, t, bits))
                if not cursor.accept(","):
                    break
            if cursor.text != "}":
                cursor.expect(";", "';' after the member")
        return fields

    def _enumerators(self, cursor: Cursor) -> tuple[tuple[str, int], ...]:
        values: list[tuple[str, int]] = []
        value = 0
        while not cursor.accept("}"):
            name = cursor.take()
            if not name or name[0] not in LETTERS:
                raise cursor.problem("expected the name of a constant")
            if cursor.accept("="):
                value = self.constant(cursor)
            values.append((name, value))
            value += 1
            if not cursor.accept(",") and cursor.text != "}":
                raise cursor.problem("expected ',' or '}'")
        return tuple(values)

    def lay_out(self, kind: str, name: str, members: list[tuple[str, CType, int]], packed: bool,
                align: int = 1) -> Struct:
        """Place the members as a C compiler does."""
        fields, bit, size = [], 0, 0
        for member, t, bits in members:
            width, unit = self._measure(t)
            unit = 1 if packed else unit
            if kind == "union":
                bit = 0
            if bits:
                if not packed and bit // (width * 8) != (bit + bits - 1) // (width * 8):
                    bit = -(-bit // (unit * 8)) * unit * 8
                fields += [Field(member, t, bit, bits)] if member else []  # without a name it is padding
                bit += bits
            else:
                bit = -(-bit // (unit * 8)) * unit * 8
                fields.append(Field(member, t, bit, 0))
                bit += width * 8
            size, align = max(size, -(-bit // 8)), max(align, unit)
        return Struct(kind, name, tuple(fields), -(-size // align) * align, align, packed)


def _integer(words: list[str], col: int) -> Base:
    known = sorted(w for w in words if w not in ("signed", "unsigned", "int"))
    sign = "unsigned " if "unsigned" in words else "signed " if known == ["char"] and "signed" in words else ""
    name = (sign + " ".join(known)).strip() or sign.strip() or "int"
    if name == "unsigned":
        name = "unsigned int"
    if name not in _INTS:
        raise Problem(f"{' '.join(words)!r} is no type", col, 1)
    return _INTS[name]
