"""Numbers: the IR that computes what the tree's arithmetic means, chosen by the ranges of the operands."""

from __future__ import annotations

from ..dsl.ints import IntType
from ..ir.builder import Builder
from ..ir.function import Const, Value
from ..ir.ops import signed
from ..tree.kinds import I64, U64, Int, fits

_SIMPLE = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}


def select(b: Builder, cond: Value, yes: Value, no: Value) -> Value:
    if isinstance(cond, Const):
        return yes if cond.value else no
    from .flow import common_type

    return b.op("select", cond, yes, no, type=common_type((yes, no)))


def binary(b: Builder, word: str, x: Value, y: Value, a: Int, c: Int) -> Value:
    """`x word y` of numbers with the kinds `a` and `c`."""
    if word in _SIMPLE:
        return b.op(_SIMPLE[word], x, y)
    if word in ("<<", ">>"):
        name = "shl" if word == "<<" else "shr" if a.lo >= 0 else "sar"
        if c.hi <= 63:
            return b.op(name, x, y)
        far = b.op("sar", x, 63) if name == "sar" else Const(0)  # beyond the width Python shifts everything out
        return select(b, b.op("ugt", y, 63), far, b.op(name, x, y))
    if a.lo >= 0 and c.lo >= 0:
        return b.op("udiv" if word == "//" else "umod", x, y)
    return _floor(b, word, x, y, a, c)


def _floor(b: Builder, word: str, x: Value, y: Value, a: Int, c: Int) -> Value:
    """Signed // and %: divide the magnitudes, then round towards minus infinity. A zero divisor gives BPF's answers."""
    if c.lo == c.hi and c.lo > 0 and c.lo & (c.lo - 1) == 0:
        if word == "//":
            return b.op("sar", x, c.lo.bit_length() - 1)
        return b.op("and", x, c.lo - 1)
    sign_a = b.op("sar", x, 63) if a.lo < 0 else Const(0)
    sign_b = b.op("sar", y, 63) if c.lo < 0 else Const(0)
    size_a = b.op("sub", b.op("xor", x, sign_a), sign_a)
    size_b = b.op("sub", b.op("xor", y, sign_b), sign_b)
    differ = b.op("xor", sign_a, sign_b)  # -1 when the signs differ, else 0
    rest = b.op("umod", size_a, size_b)
    inexact = b.op("and", differ, b.op("ne", rest, 0))  # 1 when the quotient has to go down by one
    if word == "//":
        quotient = b.op("sub", b.op("xor", b.op("udiv", size_a, size_b), differ), differ)
        down = b.op("and", inexact, b.op("ne", y, 0)) if c.lo <= 0 <= c.hi else inexact
        return b.op("sub", quotient, down)
    signed_rest = b.op("sub", b.op("xor", rest, sign_a), sign_a)  # sign of the dividend
    return b.op("add", signed_rest, b.op("and", b.op("neg", inexact), y))


def magnitude(b: Builder, x: Value, a: Int) -> Value:
    if a.lo >= 0:
        return x
    sign = b.op("sar", x, 63)
    return b.op("sub", b.op("xor", x, sign), sign)


def wrap(b: Builder, x: Value, a: Int, type: IntType) -> Value:
    """`x` as memory of `type` would give it back."""
    if type.is_bool:
        return x if a.lo >= 0 and a.hi <= 1 else b.op("ne", x, 0)
    if fits(a.lo, a.hi, type) or type.size == 8:
        return x
    if isinstance(x, Const):
        return Const(signed(type(x.value)))
    if type.signed:
        return b.op(f"sext{type.bits}", x)
    return b.op("and", x, type.hi)


def compare(b: Builder, word: str, x: Value, y: Value, a: Int, c: Int) -> Value:
    """0 or 1; exact even between u64 and negative numbers."""
    if fits(a.lo, a.hi, U64) and fits(c.lo, c.hi, U64):
        return b.op(word if word in ("eq", "ne") else "u" + word, x, y)
    if fits(a.lo, a.hi, I64) and fits(c.lo, c.hi, I64):
        return b.op(word if word in ("eq", "ne") else "s" + word, x, y)
    if a.lo >= 0:  # x may be beyond i64, y may be negative: turn it round
        return compare(b, {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(word, word), y, x, c, a)
    negative = b.op("slt", x, 0)
    if word in ("eq", "ne"):
        same = b.op("and", b.op("xor", negative, 1), b.op("eq", x, y))
        return same if word == "eq" else b.op("xor", same, 1)
    test = b.op("u" + word, x, y)
    if word in ("lt", "le"):
        return b.op("or", negative, test)
    return b.op("and", b.op("xor", negative, 1), test)
