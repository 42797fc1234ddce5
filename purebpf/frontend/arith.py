"""Integer arithmetic with Python's meaning: result types, known ranges, and the IR that computes it.

    u32 + u32 -> i64      u32 * u32 -> u64      u64 * u64 -> u64, wraps      i64 * i64 -> i64, wraps
    u64 + i64 -> an error that asks for a cast, unless the value is known not to be negative
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dsl.ints import IntType
from ..ir.function import Const, Value
from ..ir.ops import signed
from .values import BOOL, I64, U64, Int, Known, Val

if TYPE_CHECKING:
    from .context import Lowering

Range = tuple[int, int]

WORDS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
    ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>", ast.Pow: "**", ast.Div: "/", ast.MatMult: "@",
}


def constant(value: int) -> Int:
    """An exact number: a literal has no type of its own, so its type is as narrow as it is."""
    return Int(Const(value), I64 if value < 1 << 63 else U64, value, value)


def is_exact(value: Int) -> bool:
    return isinstance(value.ir, Const) and value.lo == value.hi


def type_range(value: Int) -> Range:
    """The results that the operand's type allows; a literal allows just itself."""
    return (value.lo, value.lo) if is_exact(value) else (value.type.lo, value.type.hi)


def fits(r: Range, type: IntType) -> bool:
    return type.lo <= r[0] and r[1] <= type.hi


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


# --- binary operators ------------------------------------------------------------------------------------------------


def binary(f: Lowering, word: str, a: Int, b: Int, node: ast.AST) -> Val:
    """`a word b`. Two literals are computed exactly; the rest as the table at the top of this file says."""
    if is_exact(a) and is_exact(b):
        return exact(f, word, a.lo, b.lo, node)
    if word == "**":
        return _power(f, a, b, node)
    if word in ("<<", ">>") and b.lo < 0:
        raise f.error("shift-count", "the shift count may be negative, which Python refuses", node,
                      help=f"mask it, as in 'x {word} (n & 63)', or make it unsigned: 'u32(n)'")
    type = _result_type(f, word, a, b, node)
    known = RANGES[word]((a.lo, a.hi), (b.lo, b.hi))
    if not fits(known, type):
        known = (type.lo, type.hi)
    ir = _emit(f, word, a, b)
    if isinstance(ir, Const):  # x & 0, x << 64 and the like
        return Known(ir.value & U64.hi if type is U64 else ir.value)
    return Int(ir, type, *known)


EXACT: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift,
    "**": operator.pow,
}


def exact(f: Lowering, word: str, a: int, b: int, node: ast.AST) -> Val:
    """Two literals: Python's own answer."""
    try:
        if word == "<<" and b > 4096 or word == "**" and max(a.bit_length(), 1) * b > 4096:
            raise OverflowError("the result is astronomical")
        value = EXACT[word](a, b)
    except (ZeroDivisionError, ValueError, OverflowError) as error:
        raise f.error("constant", f"this constant cannot be computed: {error}", node) from None
    if not isinstance(value, int):
        raise f.error("constant", "a negative exponent gives no integer", node)
    return Known(value)


def _result_type(f: Lowering, word: str, a: Int, b: Int, node: ast.AST) -> IntType:
    result = RANGES[word](type_range(a), type_range(b))
    for type in (I64, U64):
        if fits(result, type):
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
    raise f.error("mixed-sign", f"a u64 and a signed number in '{word}': no 64-bit type holds every result", node,
                  help="say which is meant: 'u64(x)' or 'i64(x)'")


_SIMPLE = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}


def _emit(f: Lowering, word: str, a: Int, b: Int) -> Value:
    if word in _SIMPLE:
        return f.op(_SIMPLE[word], a.ir, b.ir)
    if word in ("<<", ">>"):
        name = "shl" if word == "<<" else "shr" if a.lo >= 0 else "sar"
        if b.hi <= 63:
            return f.op(name, a.ir, b.ir)
        far = f.op("sar", a.ir, 63) if name == "sar" else Const(0)  # beyond the width Python shifts everything out
        return f.select(f.op("ugt", b.ir, 63), far, f.op(name, a.ir, b.ir))
    if a.lo >= 0 and b.lo >= 0:
        return f.op("udiv" if word == "//" else "umod", a.ir, b.ir)
    return _floor(f, word, a, b)


def _floor(f: Lowering, word: str, a: Int, b: Int) -> Value:
    """Signed // and %: divide the magnitudes, then round towards minus infinity. A zero divisor gives BPF's answers."""
    if is_exact(b) and b.lo > 0 and b.lo & (b.lo - 1) == 0:
        if word == "//":
            return f.op("sar", a.ir, b.lo.bit_length() - 1)
        return f.op("and", a.ir, b.lo - 1)
    sign_a = f.op("sar", a.ir, 63) if a.lo < 0 else Const(0)
    sign_b = f.op("sar", b.ir, 63) if b.lo < 0 else Const(0)
    size_a = f.op("sub", f.op("xor", a.ir, sign_a), sign_a)
    size_b = f.op("sub", f.op("xor", b.ir, sign_b), sign_b)
    differ = f.op("xor", sign_a, sign_b)  # -1 when the signs differ, else 0
    rest = f.op("umod", size_a, size_b)
    inexact = f.op("and", differ, f.op("ne", rest, 0))  # 1 when the quotient has to go down by one
    if word == "//":
        quotient = f.op("sub", f.op("xor", f.op("udiv", size_a, size_b), differ), differ)
        down = f.op("and", inexact, f.op("ne", b.ir, 0)) if b.lo <= 0 <= b.hi else inexact
        return f.op("sub", quotient, down)
    signed_rest = f.op("sub", f.op("xor", rest, sign_a), sign_a)  # sign of the dividend
    return f.op("add", signed_rest, f.op("and", f.op("neg", inexact), b.ir))


def _power(f: Lowering, a: Int, b: Int, node: ast.AST) -> Val:
    if not is_exact(b) or not 0 <= b.lo <= 64:
        raise f.error("unsupported", "'**' needs a constant exponent between 0 and 64", node)
    result: Val = Known(1)
    for bit in bin(b.lo)[2:]:
        left = f.integer(result, node)
        result = binary(f, "*", left, left, node) if b.lo else result
        if bit == "1":
            result = binary(f, "*", f.integer(result, node), a, node)
    return result


# --- unary, casts, comparisons ----------------------------------------------------------------------------------------


def negate(f: Lowering, a: Int, node: ast.AST) -> Val:
    return binary(f, "-", constant(0), a, node) if not is_exact(a) else Known(-a.lo)


def invert(f: Lowering, a: Int) -> Val:
    if is_exact(a):
        return Known(~a.lo)
    type = U64 if a.type.hi > I64.hi else I64
    known = (-a.hi - 1, -a.lo - 1)
    return Int(f.op("xor", a.ir, -1), type, *(known if fits(known, type) else (type.lo, type.hi)))


def wrap(f: Lowering, a: Int, type: IntType) -> Int:
    """`a` stored into `type` and read back: what a cast and an annotated variable do."""
    if type.is_bool:
        return a if (a.lo, a.hi) in ((0, 1), (0, 0), (1, 1)) else Int(f.op("ne", a.ir, 0), BOOL, 0, 1)
    if fits((a.lo, a.hi), type):
        return Int(a.ir, type, a.lo, a.hi)
    if is_exact(a):
        value = type(a.lo)
        return Int(Const(signed(value)), type, value, value)
    if type.size == 8:
        return Int(a.ir, type, type.lo, type.hi)
    if type.signed:
        return Int(f.op(f"sext{type.bits}", a.ir), type, type.lo, type.hi)
    return Int(f.op("and", a.ir, type.hi), type, type.lo, type.hi)


COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}


def compare(f: Lowering, word: str, a: Int, b: Int) -> Value:
    """0 or 1; exact even between u64 and negative numbers."""
    decided = _decided(word, a, b)
    if decided is not None:
        return Const(int(decided))
    if fits((a.lo, a.hi), U64) and fits((b.lo, b.hi), U64):
        return f.op(word if word in ("eq", "ne") else "u" + word, a.ir, b.ir)
    if fits((a.lo, a.hi), I64) and fits((b.lo, b.hi), I64):
        return f.op(word if word in ("eq", "ne") else "s" + word, a.ir, b.ir)
    if a.lo >= 0:  # a may be beyond i64, b may be negative: turn it round
        return compare(f, {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(word, word), b, a)
    negative = f.op("slt", a.ir, 0)
    if word in ("eq", "ne"):
        same = f.op("and", f.op("xor", negative, 1), f.op("eq", a.ir, b.ir))
        return same if word == "eq" else f.op("xor", same, 1)
    test = f.op("u" + word, a.ir, b.ir)
    if word in ("lt", "le"):
        return f.op("or", negative, test)
    return f.op("and", f.op("xor", negative, 1), test)


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
