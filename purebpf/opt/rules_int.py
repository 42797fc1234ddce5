"""Rules for integer arithmetic, bits, shifts, extensions and their 32-bit forms; see `simplify`."""

from __future__ import annotations

from typing import Final

from ..ir.function import Const, Op, Value
from ..ir.ops import INVERSE, M32, M64, NARROW, TABLE, Mem, signed
from .bits import fill
from .rewrite import Rewriter, Rules
from .rows import R

BOOL: Final = frozenset(INVERSE)  # rows whose result is 0 or 1
SEXT: Final = {TABLE["sext8"]: 8, TABLE["sext16"]: 16, TABLE["sext32"]: 32}
SWAP: Final = {TABLE["bswap16"]: 2, TABLE["bswap32"]: 4, TABLE["bswap64"]: 8}
_IMM: Final = (1 << 31) - 1


def log2(n: int) -> int:
    """k if n == 2**k for an unsigned reading of n, else -1."""
    n &= M64
    return n.bit_length() - 1 if n and not n & (n - 1) else -1


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _add(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(0): return x
        case Op(R.add, [x, Const(c)]), Const(d) if not s.shape.compared(a): return s.op(R.add, x, c + d)
        case Op(R.sub, [Const(c), x]), Const(d) if not s.shape.compared(a): return s.op(R.sub, c + d, x)
        case Op(R.add, [x, Const(c)]), y if not s.shape.compared(a): return s.op(R.add, s.op(R.add, x, y), c)
        case x, Op(R.add, [y, Const(c)]) if not s.shape.compared(b): return s.op(R.add, s.op(R.add, x, y), c)
        case Op(R.sub, [x, y]), z if y is z: return x
        case x, Op(R.sub, [y, z]) if x is z: return y
        case x, Op(R.neg, [y]): return s.op(R.sub, x, y)
        case Op(R.neg, [x]), y: return s.op(R.sub, y, x)
    return None


def _sub(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(c): return s.op(R.add, x, -c)
        case x, y if x is y: return Const(0)
        case Const(0), x: return s.op(R.neg, x)
        case Op(R.add, [x, y]), z if x is z: return y
        case Op(R.add, [x, y]), z if y is z: return x
        case x, Op(R.add, [y, z]) if x is y: return s.op(R.neg, z)
        case x, Op(R.sub, [y, z]) if x is y: return z
        case x, Op(R.neg, [y]): return s.op(R.add, x, y)
        case Op(R.add, [x, Const(c)]), y if not s.shape.compared(a): return s.op(R.add, s.op(R.sub, x, y), c)
        case x, Op(R.add, [y, Const(c)]) if not s.shape.compared(b): return s.op(R.add, s.op(R.sub, x, y), -c)
    return None


def _neg(s: Rewriter, op: Op, a: Value) -> Value | None:
    match a:
        case Op(R.neg, [x]): return x
        case Op(R.sub, [x, y]): return s.op(R.sub, y, x)
    return None


def _mul(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case _, Const(0): return b
        case x, Const(1): return x
        case x, Const(-1): return s.op(R.neg, x)
        case x, Const(c) if log2(c) > 0: return s.op(R.shl, x, log2(c))
        case Op(R.mul, [x, Const(c)]), Const(d) if not s.shape.compared(a): return s.op(R.mul, x, signed(c * d))
        case Op(R.shl, [x, Const(c)]), Const(d) if not s.shape.compared(a): return s.op(R.mul, x, signed(d << (c & 63)))
        case Op(R.neg, [x]), Const(c): return s.op(R.mul, x, -c)
    return None


def _udiv(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case _, Const(0): return b
        case x, Const(c) if log2(c) >= 0: return s.op(R.shr, x, log2(c))
        case x, Const(c) if s.bits.may(x) < c: return Const(0)
        case x, y if (s.bits.may(x) | s.bits.may(y)) <= M32: return s.op(R.udiv32, x, y)
    return None


def _umod(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(0): return x
        case x, Const(c) if log2(c) >= 0: return s.op(R.and_, x, c - 1 & M64)
        case x, Const(c) if s.bits.may(x) < c: return x
        case x, y if (s.bits.may(x) | s.bits.may(y)) <= M32: return s.op(R.umod32, x, y)
    return None


def _sdiv(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case _, Const(0): return b
        case x, Const(1): return x
        case x, Const(-1): return s.op(R.neg, x)
        case x, y if not (s.bits.may(x) | s.bits.may(y)) >> 63: return s.op(R.udiv, x, y)
    return None


def _smod(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(0): return x
        case _, Const(1 | -1): return Const(0)
        case x, y if not (s.bits.may(x) | s.bits.may(y)) >> 63: return s.op(R.umod, x, y)
    return None


# --- bits -------------------------------------------------------------------------------------------------------------

_LOW32: Final = frozenset(TABLE[n] for n in ("add", "sub", "mul", "neg"))


def _and(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case _, Const(0): return b
        case x, Const(c) if not s.sure(x) & ~c & M64: return x
        case x, y if x is y: return x
        case Op(R.and_, [x, Const(c)]), Const(d): return s.op(R.and_, x, c & d)
        case Op(R.or_ | R.xor, [x, y]), Const(c) if not s.bits.may(y) & c & M64: return s.op(R.and_, x, c)
        case Op(R.or_ | R.xor, [x, y]), Const(c) if not s.bits.may(x) & c & M64: return s.op(R.and_, y, c)
        case Op(R.add, [x, y]), Const(c) if c > 0 and not c & (c + 1) and not s.bits.may(y) & c: return s.op(R.and_, x, c)
        case Op(R.add, [x, y]), Const(c) if c > 0 and not c & (c + 1) and not s.bits.may(x) & c: return s.op(R.and_, y, c)
        case Op(r, [x, *_]) as v, Const(c) if r in _LOW32 and c == M32: return s.op(NARROW[r], *v.args)
        case Op(R.shl, [x, Const(k)]), Const(c) if c == M32 and k < 32: return s.op(R.shl32, x, k)
        case Op(r, [x]), Const(c) if r in SEXT and 0 <= c < 1 << SEXT[r]: return s.op(R.and_, x, c)
        case Op(R.add, [x, Const(k)]), Const(c) if c > 0 and not c & (c + 1) and _short(k, c) != k:
            return s.op(R.and_, s.op(R.add, x, _short(k, c)), c)
        case x, Const(c) if 0 <= c and fill(c) > fill(s.bits.may(x)): return s.op(R.and_, x, c & fill(s.bits.may(x)))
    return None


def _short(k: int, mask: int) -> int:
    """Of the numbers equal to k in the bits of mask, the one nearest to 0."""
    k &= mask
    return k - mask - 1 if k > mask >> 1 else k


def _or(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(0): return x
        case _, Const(-1): return b
        case x, y if x is y: return x
        case Op(R.or_, [x, Const(c)]), Const(d): return s.op(R.or_, x, c | d)
        case Op(R.and_, [x, Const(c)]), Const(d) if not s.bits.may(x) & ~(c | d) & M64: return s.op(R.or_, x, d)
        case Op(R.or_, [x, y]), z if z is x or z is y: return a
    return None


def _xor(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(0): return x
        case x, y if x is y: return Const(0)
        case Op(r, [x, y]), Const(1) if r in BOOL: return s.op(INVERSE[r], x, y)
        case Op(R.xor, [x, Const(c)]), Const(d): return s.op(R.xor, x, c ^ d)
        case Op(R.xor, [x, y]), z if y is z: return x
        case Op(R.xor, [x, y]), z if x is z: return y
    return None


def _shl(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(k) if k & ~63: return s.op(R.shl, x, k & 63)
        case x, Const(0): return x
        case Const(0), _: return a
        case Op(R.shl, [x, Const(j)]), Const(k) if not s.shape.compared(a): return s.op(R.shl, x, j + k) if j + k < 64 else Const(0)
        case Op(R.shr, [x, Const(j)]), Const(k) if j == k: return s.op(R.and_, x, M64 << k & M64)
        case Op(R.and_, [x, Const(c)]), Const(k) if not s.sure(x) & ~c & M64 >> k: return s.op(R.shl, x, k)
        case Op(R.mul, [x, Const(c)]), Const(k) if abs(signed(c << k)) <= _IMM and not s.shape.compared(a): return s.op(R.mul, x, signed(c << k))
        case x, Op(R.and_, [y, Const(c)]) if c & 63 == 63: return s.op(R.shl, x, y)
    return None


def _shr(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(k) if k & ~63: return s.op(R.shr, x, k & 63)
        case x, Const(0): return x
        case x, Const(k) if not s.bits.may(x) >> k: return Const(0)
        case Op(R.shr, [x, Const(j)]), Const(k): return s.op(R.shr, x, j + k) if j + k < 64 else Const(0)
        case Op(R.shl, [x, Const(j)]), Const(k) if not s.bits.may(x) << j >> 64:
            return s.op(R.shl, x, j - k) if j >= k else s.op(R.shr, x, k - j)
        case Op(R.shl, [x, Const(j)]), Const(k) if j == k and M64 >> k <= M32: return s.op(R.and_, x, M64 >> k)
        case Op(R.or_ | R.xor, [x, y]), Const(k) if not s.bits.may(y) >> k: return s.op(R.shr, x, k)
        case Op(R.or_ | R.xor, [x, y]), Const(k) if not s.bits.may(x) >> k: return s.op(R.shr, y, k)
        case Op(R.and_, [x, Const(c)]), Const(k) if not (s.sure(x) & ~c & M64) >> k: return s.op(R.shr, x, k)
        case Op(R.and_, [x, Const(c)]), Const(k) if (c & M64) >> k <= _IMM: return s.op(R.and_, s.op(R.shr, x, k), (c & M64) >> k)
        case x, Op(R.and_, [y, Const(c)]) if c & 63 == 63: return s.op(R.shr, x, y)
    return None


def _sar(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, Const(k) if k & ~63: return s.op(R.sar, x, k & 63)
        case x, Const(0): return x
        case x, k if not s.bits.may(x) >> 63: return s.op(R.shr, x, k)
        case Op(R.sar, [x, Const(j)]), Const(k): return s.op(R.sar, x, min(j + k, 63))
        case Op(R.shl, [x, Const(j)]), Const(k) if j == k and j in (32, 48, 56): return s.op(TABLE[f"sext{64 - j}"], x)
        case x, Op(R.and_, [y, Const(c)]) if c & 63 == 63: return s.op(R.sar, x, y)
    return None


def _sext(s: Rewriter, op: Op, a: Value) -> Value | None:
    bits = SEXT[op.row]
    match a:
        case x if not s.bits.may(x) >> (bits - 1): return x
        case Op(r, [_]) if r in SEXT and SEXT[r] <= bits: return a
        case Op(r, [x]) if r in SEXT: return s.op(op.row, x)
        case Op(R.and_, [x, Const(c)]) if not ~c & ((1 << bits) - 1): return s.op(op.row, x)
        case Op(R.load) as v if isinstance(v.attr, Mem) and v.attr.sext and v.attr.size * 8 <= bits: return a
    return None


def _bswap(s: Rewriter, op: Op, a: Value) -> Value | None:
    mask = (1 << 8 * SWAP[op.row]) - 1
    match a:
        case Op(r, [x]) if r is op.row: return s.op(R.and_, x, mask)
        case Op(R.and_, [x, Const(c)]) if not ~c & mask: return s.op(op.row, x)
    return None


# --- 32-bit forms -----------------------------------------------------------------------------------------------------


def low32(v: Value) -> Value:
    """A value with the same low 32 bits that may be there already."""
    while True:
        match v:
            case Op(R.and_, [x, Const(c)]) if not ~c & M32: v = x
            case Op(R.sext32, [x]): v = x
            case _: return v


WIDEN: Final = {n: w for w, n in NARROW.items()}
_BITWISE32: Final = frozenset(TABLE[n] for n in ("and32", "or32", "xor32"))


def _alu32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    row = op.row
    x, y = low32(a), low32(b)
    if x is not a or y is not b:
        return s.op(row, x, y)
    match row, a, b:
        case r, _, Const(c) if c != signed(c, 32): return s.op(row, a, signed(c, 32))
        case R.and32, x, y: return s.op(R.and_, s.op(R.and_, x, y), M32)
        case r, x, y if r in _BITWISE32 and (s.bits.may(x) | s.bits.may(y)) <= M32: return s.op(WIDEN[r], x, y)
        case R.or32 | R.xor32, x, Const(c) if c < 0 and s.bits.may(x) <= M32: return s.op(WIDEN[row], x, c & M32)
        case R.add32, x, y if fill(s.bits.may(x)) + fill(s.bits.may(y)) <= M32: return s.op(R.add, x, y)
        case R.add32 | R.sub32 | R.or32 | R.xor32, x, Const(0): return s.op(R.and_, x, M32)
        case R.sub32, x, Const(c): return s.op(R.add32, x, -c)
        case R.sub32 | R.xor32, x, y if x is y: return Const(0)
        case R.sub32, Const(0), x: return s.op(R.neg32, x)
        case R.add32, Op(R.add | R.add32, [x, Const(c)]), Const(d): return s.op(R.add32, x, c + d)
        case R.mul32, _, Const(0): return b
        case R.mul32, x, Const(1): return s.op(R.and_, x, M32)
        case R.mul32, x, Const(c) if log2(c & M32) > 0: return s.op(R.shl32, x, log2(c & M32))
        case R.mul32, Op(R.mul | R.mul32, [x, Const(c)]), Const(d): return s.op(R.mul32, x, signed(c * d, 32))
    return None


def _neg32(s: Rewriter, op: Op, a: Value) -> Value | None:
    match low32(a):
        case Op(R.neg32 | R.neg, [x]): return s.op(R.and_, x, M32)
        case x if x is not a: return s.op(R.neg32, x)
    return None


def _shift32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match op.row, a, b:
        case r, x, Const(k) if k & ~31: return s.op(r, x, k & 31)
        case _, x, Const(0): return s.op(R.and_, x, M32)
        case R.shr32, x, Const(k) if s.bits.may(x) <= M32: return s.op(R.shr, x, k)
        case R.shl32, x, Const(k) if s.bits.may(x) << k <= M32: return s.op(R.shl, x, k)
        case R.sar32, x, Const(k) if not s.bits.may(x) >> 31: return s.op(R.shr, x, k)
        case R.shl32, Op(R.shl | R.shl32, [x, Const(j)]), Const(k) if 0 <= j < 32: return s.op(R.shl32, x, j + k) if j + k < 32 else Const(0)
        case r, x, k if low32(x) is not x: return s.op(r, low32(x), k)
    return None


def _div32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match op.row, a, b:
        case R.udiv32 | R.sdiv32, _, Const(c) if not c & M32: return Const(0)
        case R.umod32 | R.smod32, x, Const(c) if not c & M32: return s.op(R.and_, x, M32)
        case R.udiv32, x, Const(c) if log2(c & M32) >= 0: return s.op(R.shr32, x, log2(c & M32))
        case R.umod32, x, Const(c) if log2(c & M32) >= 0: return s.op(R.and_, x, (c & M32) - 1)
        case R.sdiv32, x, y if not (s.bits.may(x) | s.bits.may(y)) >> 31: return s.op(R.udiv32, x, y)
        case R.smod32, x, y if not (s.bits.may(x) | s.bits.may(y)) >> 31: return s.op(R.umod32, x, y)
        case r, x, y if low32(x) is not x or low32(y) is not y: return s.op(r, low32(x), low32(y))
    return None


RULES: Final[Rules] = {
    R.add: _add, R.sub: _sub, R.neg: _neg, R.mul: _mul, R.udiv: _udiv, R.umod: _umod, R.sdiv: _sdiv, R.smod: _smod,
    R.and_: _and, R.or_: _or, R.xor: _xor, R.shl: _shl, R.shr: _shr, R.sar: _sar,
    R.sext8: _sext, R.sext16: _sext, R.sext32: _sext, R.bswap16: _bswap, R.bswap32: _bswap, R.bswap64: _bswap,
    R.add32: _alu32, R.sub32: _alu32, R.mul32: _alu32, R.and32: _alu32, R.or32: _alu32, R.xor32: _alu32,
    R.neg32: _neg32, R.shl32: _shift32, R.shr32: _shift32, R.sar32: _shift32,
    R.udiv32: _div32, R.umod32: _div32, R.sdiv32: _div32, R.smod32: _div32,
}
