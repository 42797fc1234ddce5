"""Rules for comparisons, branches and selects; see `simplify`. `c` and `d` are signed readings of constants."""

from __future__ import annotations

from typing import Final

from ..ir.function import Const, Op, Value
from ..ir.ops import INVERSE, M32, M64, NARROW, SWAPPED, TABLE, OpRow, signed
from ..ir.types import I64
from .rewrite import Rewriter, Rules
from .rows import R
from .rules_int import BOOL, SEXT, SWAP, WIDEN, low32

_MAX: Final = (1 << 63) - 1
_SIGNED: Final[dict[OpRow, OpRow]] = {TABLE["s" + n + w]: TABLE["u" + n + w] for n in ("lt", "le", "gt", "ge") for w in ("", "32")}
_SAME: Final = {TABLE[n + w]: v for n, v in (("eq", 1), ("ne", 0), ("ult", 0), ("ule", 1), ("ugt", 0), ("uge", 1), ("slt", 0),
                                             ("sle", 1), ("sgt", 0), ("sge", 1)) for w in ("", "32")}
_NOT_NULL: Final = frozenset(TABLE[n] for n in ("alloca", "mapaddr", "dataaddr", "funcaddr", "nonnull"))


def not_null(v: Value) -> bool:
    """Whether a pointer cannot be null: the address of something of ours, or a step from it."""
    while isinstance(v, Op) and v.row is R.ptradd:
        v = v.args[0]
    return isinstance(v, Op) and v.row in _NOT_NULL


def _equal(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    """eq and ne, 64 bits."""
    row = op.row
    match a, b:
        case x, y if x is y: return Const(_SAME[row])
        case x, Const(c) if x.type is I64 and c & ~s.bits.may(x) & M64: return Const(row is R.ne)
        case x, Const(0) if not_null(x): return Const(row is R.ne)
        case Op(r, _) as x, Const(0 | 1 as c) if r in BOOL: return x if (c == 1) == (row is R.eq) else s.op(INVERSE[r], *x.args)
        case x, Const(1) if s.bits.may(x) == 1: return s.op(INVERSE[row], x, 0)
        case x, Const(0) if row is R.ne and s.bits.may(x) == 1: return x
        case Op(R.add, [x, Const(c)]), Const(d): return s.op(row, x, d - c)
        case Op(R.sub, [Const(c), x]), Const(d): return s.op(row, x, c - d)
        case Op(R.sub | R.xor, [x, y]), Const(0): return s.op(row, x, y)
        case Op(R.xor, [x, Const(c)]), Const(d): return s.op(row, x, c ^ d)
        case Op(R.neg, [x]), Const(d): return s.op(row, x, -d)
        case Op(R.ptrdiff, [x, y]), Const(0): return s.op(row, x, y)
        case Op(R.slt, [x, Const(0)]), Op(R.slt, [y, Const(0)]): return s.op(R.slt, s.op(R.xor, x, y), 0) if row is R.ne else s.op(R.sgt, s.op(R.xor, x, y), -1)
        case Op(R.slt32, [x, Const(0)]), Op(R.slt32, [y, Const(0)]): return s.op(R.slt32, s.op(R.xor, x, y), 0) if row is R.ne else s.op(R.sgt32, s.op(R.xor, x, y), -1)
        case Op(R.and_, [x, Const(c)]), Const(d) if c == M32: return s.op(NARROW[row], x, signed(d, 32))
        case Op(R.add32, [x, Const(c)]), Const(d): return s.op(NARROW[row], x, signed(d - c, 32))
        case Op(R.and_, [_, Const(c)]) as x, Const(d) if c == d and c & M64 and not c & (c - 1): return s.op(INVERSE[row], x, 0)
        case Op(R.shl, [x, Const(k)]), Const(c) if not s.bits.may(x) << k >> 64: return s.op(row, x, (c & M64) >> k)
        case Op(R.shr, [x, Const(k)]), Const(0) if s.shape.only_use(a): return s.op(R.ult if row is R.eq else R.ugt, x, (1 << k) - (row is R.ne))
        case Op(r, [x]), Const(c) if r in SWAP and s.bits.may(x) <= _low(SWAP[r]): return s.op(row, x, _swapped(r, c))
        case Op(R.and_, [Op(r, [x]), Const(m)]), Const(c) if r in SWAP and 0 <= m <= _low(SWAP[r]):
            return s.op(row, s.op(R.and_, x, _swapped(r, m)), _swapped(r, c))
        case Op(r, [x]), Op(q, [y]) if r is q and r in SWAP and (s.bits.may(x) | s.bits.may(y)) <= _low(SWAP[r]): return s.op(row, x, y)
        case Op(r, [x]), Const(c) if r in SEXT and c == signed(c, SEXT[r]): return s.op(row, s.op(R.and_, x, _low(SEXT[r] // 8)), c & _low(SEXT[r] // 8))
        case Op(r, [_]), Const(_) if r in SEXT: return Const(row is R.ne)
        case x, Const(c) if 1 << 31 <= c <= M32 and s.bits.may(x) <= M32: return s.op(NARROW[row], x, signed(c, 32))
    return None


def _low(size: int) -> int:
    return (1 << 8 * size) - 1


def _swapped(row: OpRow, c: int) -> int:
    assert row.evaluate is not None
    return row.evaluate(c)


def _equal32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match a, b:
        case x, y if x is y: return Const(_SAME[op.row])
        case x, Const(c) if c != signed(c, 32): return s.op(op.row, x, signed(c, 32))
        case x, Const(c) if s.bits.may(x) <= M32 and (c >= 0 or c & M32 & ~s.bits.may(x)): return s.op(WIDEN[op.row], x, c & M32)
        case x, y if s.bits.may(x) <= M32 and s.bits.may(y) <= M32 and not isinstance(y, Const): return s.op(WIDEN[op.row], x, y)
        case Op(R.add | R.add32, [x, Const(c)]), Const(d): return s.op(op.row, x, signed(d - c, 32))
        case Op(R.xor | R.xor32, [x, Const(c)]), Const(d): return s.op(op.row, x, signed(c ^ d, 32))
        case Op(R.sub32 | R.sub | R.xor | R.xor32, [x, y]), Const(0): return s.op(op.row, x, y)
        case Op(R.bswap32, [x]), Const(c): return s.op(op.row, x, signed(_swapped(R.bswap32, c), 32))
        case x, y if low32(x) is not x or low32(y) is not y: return s.op(op.row, low32(x), low32(y))
    return None


def _unsigned(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    """ult, ule, ugt, uge: 64 bits. Constants read unsigned."""
    match op.row, a, b:
        case r, x, y if x is y: return Const(_SAME[r])
        case r, x, y if x.type.region == "packet_end" and y.type.region != "packet_end": return s.op(SWAPPED[r], y, x)
        case R.uge, _, Const(0): return Const(1)
        case R.ule, _, Const(-1): return Const(1)
        case R.uge, x, Const(c): return s.op(R.ugt, x, c - 1)
        case R.ule, x, Const(c): return s.op(R.ult, x, c + 1)
        case R.ult, _, Const(0): return Const(0)
        case R.ugt, _, Const(-1): return Const(0)
        case R.ult, x, Const(1) if s.sure(x) == 1: return s.op(R.eq, x, 0)
        case R.ugt, x, Const(0) if s.sure(x) == 1: return x
        case R.ult, x, Const(c) if s.sure(x) < c & M64: return Const(1)
        case R.ugt, x, Const(c) if s.sure(x) <= c & M64: return Const(0)
        case R.ult, Op(R.shr, [x, Const(k)]), Const(c) if (c & M64) << k <= M64 and s.shape.only_use(a): return s.op(R.ult, x, (c & M64) << k)
        case R.ugt, Op(R.shr, [x, Const(k)]), Const(c) if ((c & M64) + 1 << k) - 1 <= M64 and s.shape.only_use(a): return s.op(R.ugt, x, ((c & M64) + 1 << k) - 1)
        case R.ult | R.ugt, x, Const(c) if 1 << 31 <= c <= M32 and s.sure(x) <= M32: return s.op(NARROW[op.row], x, signed(c, 32))
    return None


def _unsigned32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match op.row, a, b:
        case r, x, y if x is y: return Const(_SAME[r])
        case r, x, Const(c) if c != signed(c, 32): return s.op(r, x, signed(c, 32))
        case R.uge32, _, Const(0): return Const(1)
        case R.ule32, _, Const(-1): return Const(1)
        case R.uge32, x, Const(c): return s.op(R.ugt32, x, signed(c - 1, 32))
        case R.ule32, x, Const(c): return s.op(R.ult32, x, signed(c + 1, 32))
        case R.ult32, _, Const(0): return Const(0)
        case R.ugt32, _, Const(-1): return Const(0)
        case r, x, Const(c) if s.bits.may(x) <= M32 and (c >= 0 or s.bits.may(x) < c & M32): return s.op(WIDEN[r], x, c & M32)
        case r, x, y if not isinstance(y, Const) and (s.bits.may(x) | s.bits.may(y)) <= M32: return s.op(WIDEN[r], x, y)
        case r, x, y if low32(x) is not x or low32(y) is not y: return s.op(r, low32(x), low32(y))
    return None


def _signed(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match op.row, a, b:
        case r, x, y if x is y: return Const(_SAME[r])
        case r, x, y if x.type is I64 and y.type is I64 and not (s.bits.may(x) | s.bits.may(y)) >> 63: return s.op(_SIGNED[r], x, y)
        case R.slt, x, Const(c) if c <= 0 and not s.sure(x) >> 63: return Const(0)
        case R.sgt, x, Const(c) if c < 0 and not s.sure(x) >> 63: return Const(1)
        case R.sle, _, Const(c) if c == _MAX: return Const(1)
        case R.sge, _, Const(c) if c == -_MAX - 1: return Const(1)
        case R.sle, x, Const(c): return s.op(R.slt, x, c + 1)
        case R.sge, x, Const(c): return s.op(R.sgt, x, c - 1)
        case R.slt, _, Const(c) if c == -_MAX - 1: return Const(0)
        case R.sgt, _, Const(c) if c == _MAX: return Const(0)
        case R.slt | R.sgt, Op(R.sext32, [x]), Const(c) if c == signed(c, 32): return s.op(NARROW[op.row], x, c)
        case R.slt | R.sgt | R.sle | R.sge, Op(R.sext32, [x]), Op(R.sext32, [y]): return s.op(NARROW[op.row], x, y)
        case R.slt | R.sgt, Op(R.sext32, [_]), Const(c): return Const((op.row is R.slt) == (c > 0))
    return None


def _signed32(s: Rewriter, op: Op, a: Value, b: Value) -> Value | None:
    match op.row, a, b:
        case r, x, y if x is y: return Const(_SAME[r])
        case r, x, Const(c) if c != signed(c, 32): return s.op(r, x, signed(c, 32))
        case r, x, y if not (s.bits.may(x) | s.bits.may(y)) >> 31: return s.op(WIDEN[r], x, y)
        case R.sle32, x, Const(c) if c < M32 >> 1: return s.op(R.slt32, x, c + 1)
        case R.sge32, x, Const(c) if c > -(1 << 31): return s.op(R.sgt32, x, c - 1)
        case r, x, y if low32(x) is not x or low32(y) is not y: return s.op(r, low32(x), low32(y))
    return None


def _select(s: Rewriter, op: Op, c: Value, a: Value, b: Value) -> Value | None:
    match c, a, b:
        case Const(n), x, y: return x if n else y
        case _, x, y if x is y: return x
        case _, Const(m), Const(n) if m == n and op.type is I64: return a
        case Op(R.ne, [x, Const(0)]), y, z if x.type is I64: return s.op(R.select, x, y, z, type=op.type)
        case Op(R.eq, [x, Const(0)]), y, z if x.type is I64: return s.op(R.select, x, z, y, type=op.type)
        case x, Const(1), Const(0): return x if s.bits.may(x) == 1 else s.op(R.ne, x, 0)
        case x, Const(0), Const(1): return s.op(R.eq, x, 0)
    return None


def _br(s: Rewriter, op: Op, c: Value) -> Value | None:
    """In place: a branch tests a comparison, or a number that need not be compared with 0."""
    while True:
        match op.args[0]:
            case Op(R.ne, [x, Const(0)]) if x.type is I64:
                op.args[0] = x
            case Op(R.eq, [x, Const(0)]) if x.type is I64:
                op.args[0] = x
                op.edges.reverse()
            case Op(R.neg | R.bswap64, [x]):
                op.args[0] = x
            case Op(R.bswap16 | R.bswap32 as r, [x]) if s.bits.may(x) <= _low(SWAP[r]):
                op.args[0] = x
            case Op(R.and_, [Op(r, [x]), Const(m)]) if r in SWAP and 0 <= m <= _low(SWAP[r]):
                op.args[0] = s.op(R.and_, x, _swapped(r, m))
            case Op(R.and_, [x, Const(c2)]) if c2 == M32:
                op.args[0] = s.op(R.ne32, x, 0)
            case Op(R.sext32, [x]):
                op.args[0] = s.op(R.ne32, x, 0)
            case Op(R.shl, [x, Const(k)]) if not s.bits.may(x) << k >> 64:
                op.args[0] = x
            case Op(R.shr, [x, Const(k)]) as v if s.shape.only_use(v):
                op.args[0] = s.op(R.ugt, x, (1 << k) - 1)
            case Op(R.add, [x, Const(k)]):
                op.args[0] = s.op(R.ne, x, -k)
            case Op(R.sub | R.xor, [x, y]):
                op.args[0] = s.op(R.ne, x, y)
            case _:
                return None
        s.changed = True


RULES: Final[Rules] = {
    R.eq: _equal, R.ne: _equal, R.eq32: _equal32, R.ne32: _equal32,
    R.ult: _unsigned, R.ule: _unsigned, R.ugt: _unsigned, R.uge: _unsigned,
    R.ult32: _unsigned32, R.ule32: _unsigned32, R.ugt32: _unsigned32, R.uge32: _unsigned32,
    R.slt: _signed, R.sle: _signed, R.sgt: _signed, R.sge: _signed,
    R.slt32: _signed32, R.sle32: _signed32, R.sgt32: _signed32, R.sge32: _signed32,
    R.select: _select, R.br: _br,
}
