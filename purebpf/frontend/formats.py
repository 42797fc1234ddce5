"""f-strings, and what `print` takes: the kernel's format text and the values for it, as pieces of a line."""

from __future__ import annotations

import ast
from typing import NamedTuple

from ..dsl.ints import TYPES
from ..dsl.layout import ArrayType, Layout, StructType
from ..tree.kinds import (
    Agg, CHAR, Choice, Const, I64, Int, Optional, Ptr, Text, Tuple, U64, is_bytes, is_maybe, is_string,
)
from ..tree.nodes import Bits, Bytes, Cast, Expr, Filled, Formatted, IfElse, Lit, Number, Temp
from . import arith, compare, fitting, helpers, keeping, memory, strings
from .context import Checker

MOST = 12  # values of one call of the kernel's (MAX_BPRINTF_VARARGS)
LONGEST_ARRAY = 16  # elements that are printed
LONGEST_TEXT = 128  # bytes read of text in kernel or user memory


class Piece(NamedTuple):
    """A part of a line: the kernel's format text, the values for it, and the most characters that it becomes."""

    text: str
    values: tuple[Expr, ...]
    most: int


class Line:
    """A line being put together."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []

    def constant(self, text: str) -> None:
        if text:
            self.pieces.append(Piece(text.replace("%", "%%"), (), len(text.encode())))

    def add(self, text: str, most: int, *values: Expr) -> None:
        self.pieces.append(Piece(text, values, most))

    def hold(self, c: Checker) -> None:
        """What has been collected is evaluated here, before what comes next has its effects."""
        self.pieces = [Piece(p.text, tuple(c.hold(v, "$value") for v in p.values), p.most) for p in self.pieces]

    @property
    def text(self) -> str:
        return "".join(p.text for p in self.pieces)

    @property
    def values(self) -> list[Expr]:
        return [v for p in self.pieces for v in p.values]

    @property
    def most(self) -> int:
        return sum(p.most for p in self.pieces)

    def known(self) -> str | None:
        """The whole text, if none of it is only known at run time."""
        return None if self.values else self.text.replace("%%", "%")


def joined(c: Checker, node: ast.JoinedStr) -> Expr:
    """An f-string as a value: text that the kernel formats where it is stored."""
    line = Line()
    parts(c, line, node)
    known = line.known()
    return c.lit(known, node) if known is not None else formatted(c, line, node)


def formatted(c: Checker, line: Line, node: ast.AST) -> Expr:
    """A line as text that has no place yet."""
    compact(c, line, MOST, node)
    if any(map(arith.acts, line.values)):
        line.hold(c)
    helpers.emit_call(c, "snprintf", (), Int.of(U64), node)  # the licence and the lock, checked as for any call
    room = -(-(line.most + 1) // 8) * 8
    return Formatted(c.span(node), Agg(ArrayType(CHAR, room)), line.text.encode() + b"\0", line.values, line.most)


def compact(c: Checker, line: Line, most: int, node: ast.AST) -> None:
    """Where there are more values than one call takes, the first become text of their own."""
    while len(line.values) > most:
        first, count = Line(), 0
        while line.pieces and count + len(line.pieces[0].values) <= MOST:
            first.pieces.append(line.pieces.pop(0))
            count += len(first.pieces[-1].values)
        rest = line.pieces
        line.pieces = []
        _text(c, line, formatted(c, first, node), "", node, False)
        line.pieces += rest


def parts(c: Checker, line: Line, node: ast.JoinedStr) -> None:
    """The parts of an f-string."""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spec = _spec(c, part)
            quoted = part.conversion in (ord("r"), ord("a"))
            value(c, line, c.expr(part.value), spec, part.value, quoted, part.conversion == ord("s"))
        elif isinstance(part, ast.Constant):
            line.constant(str(part.value))


def _spec(c: Checker, part: ast.FormattedValue) -> str:
    """A format, whose own parts must be known now."""
    line = Line()
    if isinstance(part.format_spec, ast.JoinedStr):
        parts(c, line, part.format_spec)
    known = line.known()
    if known is None:
        c.unsupported("a format that is only known at run time", part)
    return known


def value(c: Checker, line: Line, value_: Expr, spec: str, node: ast.AST, quoted: bool = False, as_text: bool = False) -> None:
    """A value in a line: with `spec` behind a colon, `quoted` as by repr(), `as_text` as by str()."""
    if arith.acts(value_):
        line.hold(c)
        value_ = c.flat(value_)
    kind = value_.kind
    match kind:
        case Const(v):
            try:
                line.constant(format(repr(v) if quoted else str(v) if as_text else v, spec))
            except (TypeError, ValueError) as error:
                raise c.error("constant", f"this constant cannot be formatted: {error}", node) from None
        case Tuple():
            _tuple(c, line, value_, spec, node)
        case Agg() if isinstance(value_, Formatted) and not spec and not quoted:
            line.pieces.append(Piece(value_.text[:-1].decode(), value_.values, value_.most))
        case Ptr() | Agg() | Text() if strings.is_text(kind) or isinstance(kind, Text):
            if is_maybe(kind):
                raise arith.may_be_none(c, value_, node)
            _text(c, line, value_, spec, node, quoted)
        case Choice(options=options):
            layout = ArrayType(CHAR, max(len(str(o.value)) for o in options) + 1)
            _text(c, line, keeping.placed(c, fitting._fit_choice(c, value_, layout, node), layout, node), spec, node, quoted)
        case Optional() | Ptr() if is_maybe(kind) and not isinstance(getattr(kind, "some", kind), Ptr):
            raise arith.may_be_none(c, value_, node)
        case Ptr(target=StructType() as layout) if not layout.core and not kind.null and kind.access == "direct":
            _struct(c, line, value_, layout, node)
        case Ptr(target=ArrayType() as layout) if not kind.null and kind.access == "direct":
            _array(c, line, value_, layout, node)
        case Ptr():
            line.add("%llx", 16, Bits(value_.span, Int.of(U64), value_))
        case Int(type=type) if type.is_bool and (not spec or as_text or quoted):
            _truth(c, line, value_, spec, node)
        case _:
            _number(c, line, value_, spec, node)


def _tuple(c: Checker, line: Line, value_: Expr, spec: str, node: ast.AST) -> None:
    if spec:
        c.unsupported("a format of a tuple", node, "format its items")
    items = compare.items_of(c, value_) or []
    line.constant("(")
    for i, item in enumerate(items):
        line.constant(", " if i else "")
        value(c, line, item, "", node, quoted=True)
    line.constant(",)" if len(items) == 1 else ")")


def _array(c: Checker, line: Line, value_: Expr, layout: ArrayType, node: ast.AST) -> None:
    if layout.count > LONGEST_ARRAY:
        c.unsupported(f"printing an array of {layout.count} elements", node, "print its elements in a loop")
    place = memory.deref(c, c.hold(value_, "$array"), node)
    line.constant("[")
    for i in range(layout.count):
        line.constant(", " if i else "")
        value(c, line, memory.load(c, memory.element(c, place, Number(c.span(node), i), node), node), "", node, quoted=True)
    line.constant("]")


def _struct(c: Checker, line: Line, value_: Expr, layout: StructType, node: ast.AST) -> None:
    place = memory.deref(c, c.hold(value_, "$struct"), node)
    line.constant(f"{layout.name}(")
    for i, f in enumerate(layout.fields):
        line.constant(f"{', ' if i else ''}{f.name}=")
        value(c, line, memory.load(c, memory.member(c, place, f, node), node), "", node, quoted=True)
    line.constant(")")


# --- text ------------------------------------------------------------------------------------------------------------


def _text(c: Checker, line: Line, value_: Expr, spec: str, node: ast.AST, quoted: bool) -> None:
    flags, letter = _width(spec)
    width, dot, cut = flags.partition(".")
    if letter not in ("", "s") or width.strip("-0123456789") or dot and not cut.isdigit() or quoted and (width or dot):
        c.unsupported("this format of a string", node, "the kernel prints '{s}', '{s:16}', '{s:<16}', '{s:>16}' and '{s:.4}'")
    if spec[:1] not in "<>" and width.isdigit():
        width = f"-{width}"  # Python puts text to the left
    place = strings.direct(c, value_, LONGEST_TEXT, node)
    layout = place.kind.target if isinstance(place.kind, Ptr) else None
    assert layout is not None
    if is_bytes(layout) and not is_string(layout):
        _bytes(c, line, place, layout, node)
        return
    if dot:
        layout = ArrayType(CHAR, min(int(cut), layout.size))
        place = strings.part(c, place, Number(c.span(node), 0), layout.size, node)
    place = ended(c, place, layout, node)
    most = max(layout.size, abs(int(width or 0)))
    line.add(f"'%{width}s'" if quoted else f"%{width}s", most + 2 * quoted, address(c, place))


def address(c: Checker, place: Expr) -> Expr:
    """A pointer as a value for the kernel's format."""
    return Bits(place.span, Int.of(U64), place)


def ended(c: Checker, place: Expr, layout: Layout, node: ast.AST) -> Expr:
    """Text that has a zero at its end, as the kernel wants it: what fills its room to the last byte is copied."""
    inner = place
    while isinstance(inner, Cast):
        inner = inner.value
    if isinstance(inner, Temp) and isinstance(inner.value, Filled | Formatted):
        return place  # a helper wrote it
    if isinstance(inner, Bytes) and inner.data.endswith(b"\0"):
        return place
    if isinstance(inner, Temp) and isinstance(inner.value, Bytes) and inner.value.data.endswith(b"\0"):
        return place
    room = ArrayType(CHAR, layout.size // 8 * 8 + 8)
    return keeping.placed(c, place, room, node)


def _bytes(c: Checker, line: Line, place: Expr, layout: Layout, node: ast.AST) -> None:
    """Bytes, two digits each with colons between, as addresses are written."""
    place = memory.deref(c, c.hold(place, "$bytes"), node)
    for i in range(min(layout.size, 64)):
        byte = memory.load(c, memory.element(c, place, Number(c.span(node), i), node), node)
        line.add(":%02llx" if i else "%02llx", 3 if i else 2, byte)


def _truth(c: Checker, line: Line, value_: Expr, spec: str, node: ast.AST) -> None:
    """True or False."""
    yes, no = (helpers.text_constant(c, word, node) for word in ("True", "False"))
    kind = Ptr(None, "data", writable=False)
    text = IfElse(value_.span, kind, value_, Cast(yes.span, kind, yes), Cast(no.span, kind, no))
    flags, letter = _width(spec)
    if letter not in ("", "s") or flags.strip("-0123456789"):
        c.unsupported("this format of a truth value", node)
    if flags.isdigit() and spec[:1] not in "<>":
        flags = f"-{flags}"
    line.add(f"%{flags}s", max(5, abs(int(flags or 0))), Bits(value_.span, Int.of(U64), text))


# --- numbers ---------------------------------------------------------------------------------------------------------


def _width(spec: str) -> tuple[str, str]:
    """The kernel's flags and width for Python's, and the presentation type."""
    flags, rest = "", spec
    if rest[:1] in ("<", ">"):
        flags, rest = ("-" if rest[:1] == "<" else ""), rest[1:]
    if rest[:1] in ("+", " "):
        flags, rest = flags + rest[:1], rest[1:]
    if rest[:1] == "#":
        flags, rest = flags + "#", rest[1:]
    digits = rest.rstrip("dxXusc")
    return flags + digits, rest[len(digits) :]


def _number(c: Checker, line: Line, value_: Expr, spec: str, node: ast.AST) -> None:
    flags, letter = _width(spec)
    if letter not in ("", "d", "x", "X", "u", "c") or flags.strip("-+ #0123456789"):
        c.unsupported("this format", node, "the kernel prints {n}, {n:x}, {n:#x}, {n:08x}, {n:5}, {n:+} and {s}")
    number = arith.integer(c, value_, node)
    a = arith.kind_of(number)
    word = Cast(number.span, Int.of(U64), number)
    width = int(flags.lstrip("-+ #0") or 0)
    signs = "+" in flags or " " in flags
    if (letter == "c" or a.type.is_char and not spec) and not flags:
        line.add("%c", 1, word)
    elif letter in ("x", "X"):
        most = 16 if a.lo < 0 else -(-a.hi.bit_length() // 4) or 1
        prefix = f"0{letter}" if "#" in flags else ""
        line.add(f"{prefix}%{_behind_prefix(c, flags, node)}ll{letter}", max(most, width) + len(prefix), word)
    elif letter == "c" or signs and a.hi > I64.hi:
        c.unsupported("this format", node)
    else:
        most = max(len(str(a.lo)), len(str(a.hi))) + signs
        line.add(f"%{flags}ll{'d' if a.type.signed or signs else 'u'}", max(most, width), word)


def _behind_prefix(c: Checker, flags: str, node: ast.AST) -> str:
    """The width of hexadecimal digits: that of Python counts '0x' with them."""
    digits = flags.replace("#", "")
    if digits == flags or not digits:
        return digits
    if not digits.startswith("0"):
        c.unsupported("a width of a number with '0x' that is filled with blanks", node, "fill it with zeros: {n:#010x}")
    return f"0{int(digits) - 2}" if int(digits) > 2 else ""


# --- addresses, in words ----------------------------------------------------------------------------------------------


def ip4(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`ip4(x)`: a number, or four bytes in network order."""
    layout = _array_of(args[0])
    place = keeping.placed(c, arith.integer(c, args[0], node.args[0]), TYPES["be32"], node) if layout is None else \
        _sized(c, args[0], layout, 4, "ip4", node)
    return _piece(c, "%pI4", 15, [address(c, place)], node)


def ip6(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`ip6(x)`: sixteen bytes."""
    place = _sized(c, args[0], _array_of(args[0]), 16, "ip6", node)
    return _piece(c, "%pI6", 39, [address(c, place)], node)


def mac(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`mac(x)`: six bytes."""
    place = memory.deref(c, c.hold(_sized(c, args[0], _array_of(args[0]), 6, "mac", node), "$bytes"), node)
    bytes_ = [memory.load(c, memory.element(c, place, Number(c.span(node), i), node), node) for i in range(6)]
    return _piece(c, ":".join(["%02llx"] * 6), 17, bytes_, node)


def hex_(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`hex(b)`: the digits of bytes, eight of them a value."""
    if isinstance(args[0].kind, Const) and isinstance(args[0].kind.value, bytes):
        return c.lit(args[0].kind.value.hex(), node)
    layout = _array_of(args[0])
    if layout is None or layout.size > 8 * MOST:
        raise c.mismatch(f"hex() takes at most {8 * MOST} bytes", args[0].kind, node.args[0])
    whole, rest = divmod(layout.size, 8)
    room = ArrayType(TYPES["be64"], whole + bool(rest))
    words = memory.deref(c, c.hold(keeping.placed(c, strings.direct(c, args[0], LONGEST_TEXT, node), room, node), "$bytes"), node)
    texts, values = ["%016llx"] * whole, []
    for i in range(room.count):
        word = memory.load(c, memory.element(c, words, Number(c.span(node), i), node), node)
        last = i == whole
        values.append(arith.integer(c, arith.binary(c, ">>", arith.integer(c, word, node), Number(c.span(node), 64 - 8 * rest), node), node)
                      if last else word)
    if rest:
        texts.append(f"%0{2 * rest}llx")
    return _piece(c, "".join(texts), 2 * layout.size, values, node)


def ksym(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`ksym(x)`: the name of the kernel function at an address."""
    kind = args[0].kind
    number = Bits(args[0].span, Int.of(U64), args[0]) if isinstance(kind, Ptr | Text) else arith.integer(c, args[0], node.args[0])
    return _piece(c, "%ps", 63, [Cast(number.span, Int.of(U64), number)], node)


def _array_of(value_: Expr) -> ArrayType | None:
    kind = value_.kind
    layout = kind.target if isinstance(kind, Ptr) and not kind.null else kind.layout if isinstance(kind, Agg) else None
    return layout if isinstance(layout, ArrayType) and is_bytes(layout) else None


def _sized(c: Checker, value_: Expr, layout: ArrayType | None, size: int, name: str, node: ast.Call) -> Expr:
    if layout is None and is_maybe(value_.kind) and not (isinstance(value_, Lit)):
        raise arith.may_be_none(c, value_, node.args[0])
    if layout is None or layout.size != size:
        raise c.mismatch(f"{name}() takes {size} bytes{' or a number' * (size == 4)}", value_.kind, node.args[0])
    return strings.direct(c, value_, size, node)


def _piece(c: Checker, text: str, most: int, values: list[Expr], node: ast.AST) -> Expr:
    line = Line()
    line.add(text, most, *values)
    return formatted(c, line, node)

