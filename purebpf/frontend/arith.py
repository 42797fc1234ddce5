"""Integer arithmetic with Python's meaning: result types and known ranges.

    u32 + u32 -> i64      u32 * u32 -> u64      u64 * u64 -> u64, wraps      i64 * i64 -> i64, wraps
    u64 + i64 -> an error that asks for a cast, unless the value is known not to be negative
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from ..dsl.ints import IntType
from ..errors import CompileError
from ..tree.kinds import BOOL, I64, NONE, U64, Const, Int, Kind, Ptr, fits, is_maybe, number
from ..tree.convert import coerce
from ..tree.nodes import Abs, Arith, BitLength, Cast, Compare, Expr, Lit, Load, Number, Select, Seq, Wrap
from . import instead
from .context import Checker, has_effects

Range = tuple[int, int]

WORDS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
    ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>", ast.Pow: "**", ast.Div: "/", ast.MatMult: "@",
}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}
LONGEST = 4096  # bits of a constant


def is_exact(a: Int) -> bool:
    return a.lo == a.hi


def type_range(a: Int) -> Range:
    """The results that the operand's type allows; a literal allows just itself."""
    return (a.lo, a.lo) if is_exact(a) else (a.type.lo, a.type.hi)


# --- ranges of results -----------------------------------------------------------------------------------------------


def _bits(a: Range, b: Range) -> int:
    return max(x.bit_length() for x in (*a, *b))


def _and(a: Range, b: Range) -> Range:
    if a[0] >= 0 and b[0] >= 0:
        return 0, min(a[1], b[1])
    if a[0] >= 0 or b[0] >= 0:
        return 0, a[1] if a[0] >= 0 else b[1]
    return -(1 << _bits(a, b)), (1 << _bits(a, b)) - 1


def _or(a: Range, b: Range) -> Range:
    top = (1 << _bits(a, b)) - 1
    return (0, top) if a[0] >= 0 and b[0] >= 0 else (-top - 1, top)


def _corners(f: Callable[[int, int], int], a: Range, b: Range) -> Range:
    results = [f(x, y) for x in a for y in b]
    return min(results), max(results)


def _counts(b: Range) -> Range:
    """Shift counts, beyond which nothing changes any more."""
    return min(max(b[0], 0), 128), min(max(b[1], 0), 128)


def _shl(a: Range, b: Range) -> Range:
    return _corners(lambda x, n: x << n, a, _counts(b))


def _shr(a: Range, b: Range) -> Range:
    return _corners(lambda x, n: x >> n, a, _counts(b))


def _floordiv(a: Range, b: Range) -> Range:
    if b[0] > 0:
        return _corners(lambda x, y: x // y, a, b)
    top = max(abs(a[0]), abs(a[1]))
    return (0, top) if a[0] >= 0 and b[0] >= 0 else (-top, top)


def _mod(a: Range, b: Range) -> Range:
    if b[0] > 0:
        return 0, b[1] - 1 if a[0] < 0 else min(b[1] - 1, a[1])
    return min(a[0], b[0] + 1, 0), max(a[1], b[1] - 1, 0)


def _add(a: Range, b: Range) -> Range:
    return a[0] + b[0], a[1] + b[1]


def _sub(a: Range, b: Range) -> Range:
    return a[0] - b[1], a[1] - b[0]


def _mul(a: Range, b: Range) -> Range:
    return _corners(lambda x, y: x * y, a, b)


RANGES: dict[str, Callable[[Range, Range], Range]] = {
    "+": _add, "-": _sub, "*": _mul,
    "&": _and, "|": _or, "^": _or, "<<": _shl, ">>": _shr, "//": _floordiv, "%": _mod,
}
EXACT: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
    "**": operator.pow,
}


# --- numbers ---------------------------------------------------------------------------------------------------------


def integer(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """`value` as a number, or a type error at `node`."""
    kind = value.kind
    if isinstance(kind, Int):
        return value
    known = number(kind)
    if known is not None:
        return coerce(value, known)
    if isinstance(kind, Const):
        if isinstance(kind.value, int) and isinstance(value, Lit) and not value.written:  # what a variable happens to be wraps
            wrapped = kind.value & (1 << 64) - 1
            return Number(value.span, wrapped if kind.value > 0 else (wrapped ^ 1 << 63) - (1 << 63))
        if isinstance(kind.value, int):
            raise c.error("constant", f"{kind.value} does not fit into 64 bits", value.span)
        if isinstance(kind.value, bytes) and len(kind.value) == 1:
            return Number(value.span, kind.value[0])
        if isinstance(kind.value, float):
            raise c.error("unsupported", f"{kind.value} is a float, which BPF has not", value.span,
                          help="scale it to an integer, as in milliseconds instead of seconds")
        if isinstance(kind.value, str):
            raise c.mismatch("a number is needed here", kind, value.span, instead.of_text(kind.value))
    if isinstance(kind, Ptr) and isinstance(kind.target, IntType):
        raise _points_to(c, value, kind)
    if is_maybe(kind) and kind != NONE:
        raise may_be_none(c, value)
    raise c.mismatch("a number is needed here", kind, value.span)


def _points_to(c: Checker, value: Expr, kind: Ptr) -> CompileError:
    """A pointer to a number, or to text, is used as the number."""
    name = c.frame.source.text_at(value.span)
    short = name if NAMED.fullmatch(name) else ""
    if isinstance(kind.target, IntType) and kind.target.is_char and not kind.region:
        return c.error("type-mismatch", "this is a pointer to text, not the text", value.span,
                       help=f"read it first, as much as is wanted: 'char[64]({short or '…'})'")
    read = f"read it with '{short}.value'" + (" after testing it" if kind.null else "") if short else \
        "name it, test it, and read '.value'; 'm.get(key, 0)' gives the number itself"
    return c.error("type-mismatch", "this is a pointer to a number, not the number", value.span, help=read)


NAMED = re.compile(r"[A-Za-z_][\w.]{0,29}")  # what is short enough to be called by its text


def may_be_none(c: Checker, value: Expr, node: ast.AST | None = None) -> CompileError:
    """The language's null-pointer error: something that may be None is used before a test, at `node` or where it stands."""
    span = c.span(node) if node is not None else value.span
    if value.kind == NONE:
        return c.error("null-pointer", "something is needed here, and this is None", span)
    name = c.frame.source.text_at(span)
    why = getattr(value.kind, "why", "")
    return c.error("null-pointer", f"'{name}' may be None here" if NAMED.fullmatch(name) else "this may be None here", span,
                   label=why and f"this is None when {why}",
                   help=f"test it first ('if {name} is not None:')" if name.isidentifier() else "name it and test it first")


def kind_of(value: Expr) -> Int:
    """The kind of a number."""
    assert isinstance(value.kind, Int)
    return value.kind


# --- binary operators ------------------------------------------------------------------------------------------------


def binary(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """`left word right` of numbers. Two literals are computed exactly; the rest as the table at the top says."""
    a, b = kind_of(left), kind_of(right)
    if is_exact(a) and is_exact(b) and not has_effects(_bare(left)) and not has_effects(_bare(right)):
        return _unwritten(c, exactly(c, word, a.lo, b.lo, node, False), node)
    if word == "**":
        return _power(c, left, right, node)
    if word in ("<<", ">>") and b.lo < 0:
        raise c.error("shift-count", "the shift count may be negative, which Python refuses", node,
                      help=f"mask it, as in 'x {word} (n & 63)', or make it unsigned: 'u32(n)'")
    type = _result_type(c, word, a, b, node)
    lo, hi = RANGES[word]((a.lo, a.hi), (b.lo, b.hi))
    seen = _seen(word, a, b)
    if not fits(lo, hi, type):
        lo, hi, seen = type.lo, type.hi, 0
    return Arith(c.span(node), Int(type, lo, hi, seen), word, left, right)


def _bare(value: Expr) -> Expr:
    return Lit(value.span, None) if isinstance(value, Number) else value


def _seen(word: str, a: Int, b: Int) -> int:
    """What the verifier knows of the result."""
    if a.seen == b.seen == 2:
        return 2 if word not in ("//", "%") else 0
    if word == "&":  # a mask bounds the result whatever the other side is
        return int(bool(a.seen and a.lo >= 0 or b.seen and b.lo >= 0))
    return int(bool(a.seen and b.seen and word in ("+", "-", "*", "|", "^") or word in ("<<", ">>") and a.seen and is_exact(b)))


def exactly(c: Checker, word: str, a: int, b: int, node: ast.AST, written: bool = True) -> int:
    """Two constants: Python's own answer. What would be no answer is an error where the constants are `written`; where
    variables happen to be these, it is what the kernel makes of it."""
    if b == 0 and word in ("//", "%") and not written:
        return 0 if word == "//" else a
    try:
        if word == "<<" and b > LONGEST or word == "**" and max(a.bit_length(), 1) * b > LONGEST:
            raise OverflowError("the result is astronomical")
        value = EXACT[word](a, b)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        raise c.error("constant", f"this constant cannot be computed: {error}", node) from None
    if not isinstance(value, int):
        raise c.error("constant", "a negative exponent gives no integer", node)
    return value


def _result_type(c: Checker, word: str, a: Int, b: Int, node: ast.AST) -> IntType:
    count = (b.lo, b.hi) if word in ("<<", ">>") else type_range(b)
    result = RANGES[word](type_range(a), count)
    for type in (I64, U64):
        if fits(*result, type):
            return type
    if word in ("<<", ">>"):
        return U64 if type_range(a)[0] >= 0 else I64
    ta, tb = type_range(a), type_range(b)
    if ta[0] >= 0 and tb[0] >= 0:
        return U64
    if ta[1] <= I64.hi and tb[1] <= I64.hi:
        return I64
    if a.lo >= 0 and b.lo >= 0:
        return U64
    if a.hi <= I64.hi and b.hi <= I64.hi:
        return I64
    raise c.error("mixed-sign", f"a u64 and a signed number in '{word}': no 64-bit type holds every result", node,
                  help="say which is meant: 'u64(x)' or 'i64(x)'")


def _power(c: Checker, base: Expr, exponent: Expr, node: ast.AST) -> Expr:
    base = c.hold(base, "$base")
    times = known(c, exponent)
    if times is None or not 0 <= times <= 64:
        raise c.error("unsupported", "'**' needs a constant exponent between 0 and 64", node)
    result: Expr | None = None
    for bit in bin(times)[2:]:
        if result is not None:
            result = c.hold(integer(c, result, node), "$power")
            result = binary(c, "*", result, result, node)
        if bit == "1":
            result = base if result is None else binary(c, "*", integer(c, result, node), base, node)
    return result if result is not None else c.lit(1, node)


# --- unary, casts, comparisons ---------------------------------------------------------------------------------------


def negate(c: Checker, value: Expr, node: ast.AST) -> Expr:
    return binary(c, "-", Number(c.span(node), 0), value, node)


def invert(c: Checker, value: Expr, node: ast.AST) -> Expr:
    a = kind_of(value)
    if (number := known(c, value)) is not None:
        return _unwritten(c, ~number, node)
    type = U64 if a.type.hi > I64.hi else I64
    lo, hi = -a.hi - 1, -a.lo - 1
    if not fits(lo, hi, type):
        lo, hi = type.lo, type.hi
    return Arith(c.span(node), Int(type, lo, hi), "^", value, Number(c.span(node), -1))


def _unwritten(c: Checker, number: int, node: ast.AST) -> Lit:
    """A number that variables happen to give: it need not fit where it goes, but wraps there."""
    return c.lit(number, node, Lit(c.span(node), 0, False))


def absolute(c: Checker, value: Expr, node: ast.AST) -> Expr:
    a = kind_of(value)
    if a.lo >= 0:
        return value
    if known(c, value) is not None:
        return _unwritten(c, abs(a.lo), node)
    top = max(-a.lo, a.hi)
    return Abs(c.span(node), Int(I64 if top <= I64.hi else U64, 0, top), value)


def bit_length(c: Checker, value: Expr, node: ast.AST) -> Expr:
    a = kind_of(value)
    if known(c, value) is not None:
        return _unwritten(c, a.lo.bit_length(), node)
    top = max(abs(a.lo), abs(a.hi)).bit_length()
    return BitLength(c.span(node), Int(I64, 0, top), value)


def wrap(c: Checker, value: Expr, type: IntType, node: ast.AST) -> Expr:
    """`value` stored into `type` and read back: what a cast and an annotated variable do."""
    a = kind_of(value)
    if type.is_bool:
        if a.lo >= 0 and a.hi <= 1:
            return Cast(value.span, Int(BOOL, a.lo, a.hi, a.seen), value) if a.type is not BOOL else value
        return Wrap(c.span(node), Int(BOOL, 0, 1, True), value)
    if is_exact(a) and isinstance(value, Number):
        result = type(a.lo)
        return Number(value.span, result, Int(type, result, result, True))
    if fits(a.lo, a.hi, type):
        return Cast(value.span, Int(type, a.lo, a.hi, a.seen), value)
    return Wrap(c.span(node), Int(type, type.lo, type.hi, not type.signed and type.size < 8), value)


def compare(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """A truth value; exact even between u64 and negative numbers. Ranges may decide it; then it is a constant."""
    decided = _decided(word, kind_of(left), kind_of(right))
    if decided is not None:
        return after(c, left, right, c.lit(decided, node))
    return Compare(c.span(node), Int(BOOL, 0, 1, True), word, left, right)


def after(c: Checker, *parts: object) -> Expr:
    """The last of `parts`, once the others have had their effects."""
    from ..tree.nodes import Eval

    *first, last = parts
    assert isinstance(last, Expr)
    body = [Eval(p.span, p) for p in first if isinstance(p, Expr) and not isinstance(p, Number | Lit) and acts(p)]
    return Seq(last.span, body, last) if body else last


def acts(value: Expr) -> bool:
    """Has evaluating the expression an effect of its own?"""
    match value:
        case Arith(a=a, b=b) | Compare(a=a, b=b):
            return acts(a) or acts(b)
        case Cast(value=inner) | Wrap(value=inner) | Abs(value=inner) | BitLength(value=inner):
            return acts(inner)
        case Load(place=place):
            return acts(place)
        case Select(test=test, yes=yes, no=no):
            return acts(test) or acts(yes) or acts(no)
        case _:
            return has_effects(value) and not isinstance(value, Number)


def _decided(word: str, a: Int, b: Int) -> bool | None:
    """The answer, when the ranges alone give it."""
    if word in ("gt", "ge"):
        a, b, word = b, a, {"gt": "lt", "ge": "le"}[word]
    if word == "lt":
        return True if a.hi < b.lo else False if a.lo >= b.hi else None
    if word == "le":
        return True if a.hi <= b.lo else False if a.lo > b.hi else None
    if a.hi < b.lo or b.hi < a.lo:
        return word == "ne"
    return word == "eq" if a.lo == a.hi == b.lo == b.hi else None


def better(c: Checker, word: str, left: Expr, right: Expr, node: ast.AST) -> Expr:
    """The smaller ("lt") or larger ("gt") of two numbers: Python's min and max keep the first of equals."""
    a, b = kind_of(left), kind_of(right)
    choose = min if word == "lt" else max
    lo, hi = choose(a.lo, b.lo), choose(a.hi, b.hi)
    type = I64 if fits(lo, hi, I64) else U64
    if not fits(lo, hi, type):
        raise c.error("mixed-sign", "a u64 and a negative number here: no 64-bit type holds both", node,
                      help="cast one of them: 'u64(x)' or 'i64(x)'")
    decided = _decided(word, b, a)
    if decided is not None:
        chosen, other = (right, left) if decided else (left, right)
        return chosen if not acts(other) else after(c, c.hold(left), c.hold(right), chosen)
    left, right = c.hold(left, "$left"), c.hold(right, "$right")
    seen = min(1, (a.seen or b.seen) if word == "lt" and a.lo >= 0 and b.lo >= 0 else a.seen and b.seen)
    kind = Int(type, lo, hi, seen)
    return Select(c.span(node), kind, Compare(c.span(node), Int(BOOL, 0, 1, True), word, right, left), right, left)


def constant(value: Expr) -> int | None:
    """The number, if it is known now."""
    kind: Kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, int):
        return int(kind.value)
    return kind.lo if isinstance(kind, Int) and is_exact(kind) else None


def known(c: Checker, value: Expr) -> int | None:
    """The number, if it is known now: then whatever computing it does happens here."""
    number = constant(value)
    if number is not None and acts(value):
        from ..tree.nodes import Eval

        c.emit(Eval(value.span, value))
    return number
