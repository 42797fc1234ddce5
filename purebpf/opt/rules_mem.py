"""Rules for pointers, loads and stores; see `simplify`."""

from __future__ import annotations

from typing import Final

from ..ir.function import Const, Op, Value
from ..ir.ops import Limit, Mem, Rmw
from .rewrite import Rewriter, Rules
from .rows import R
from .rules_int import SEXT


def _ptradd(s: Rewriter, op: Op, p: Value, n: Value) -> Value | None:
    if op.type is not p.type and p.type.is_ptr:  # was ptr.arg before inlining
        op.type = p.type
        s.changed = True
    match p, n:
        case x, Const(0) if x.type.is_ptr: return x
        case Op(R.ptradd, [x, Const(c)]), Const(d) if x.type.is_ptr: return s.op(R.ptradd, x, c + d)
        case Op(R.ptradd, [x, Const(c)]), y if x.type.is_ptr: return s.op(R.ptradd, s.op(R.ptradd, x, y), c)
        case x, Op(R.add, [y, Const(c)]) if c > 0 and x.type.is_ptr and not s.bits.may(y) >> 63 and not s.shape.compared(n): return s.op(R.ptradd, s.op(R.ptradd, x, y), c)
    return None


def _ptrdiff(s: Rewriter, op: Op, p: Value, q: Value) -> Value | None:
    match p, q:
        case x, y if x is y: return Const(0)
        case Op(R.ptradd, [x, a]), y if x is y: return a
        case x, Op(R.ptradd, [y, b]) if x is y: return s.op(R.neg, b)
        case Op(R.ptradd, [x, a]), Op(R.ptradd, [y, b]) if x is y: return s.op(R.sub, a, b)
    return None


def _below(s: Rewriter, op: Op, v: Value) -> Value | None:
    assert isinstance(op.attr, Limit)
    match v:
        case Const(_): return v
        case Op(R.below, [x]) if isinstance(v.attr, Limit): return v if v.attr.limit <= op.attr.limit else s.op(R.below, x, attr=op.attr)
    return None


def _nonnull(s: Rewriter, op: Op, v: Value) -> Value | None:
    return v if v.type is op.type else None


def _cast(s: Rewriter, op: Op, v: Value) -> Value | None:
    if v.type is op.type:
        return v
    match v:
        case Op(R.cast, [x]): return x if x.type is op.type else s.op(R.cast, x, type=op.type)
    return None


def _access(s: Rewriter, op: Op, p: Value, *rest: Value) -> Value | None:
    """In place: a constant step of the pointer goes into the offset, what a store cuts off is not computed."""
    attr = op.attr
    assert isinstance(attr, (Mem, Rmw))
    match p:
        case Op(R.ptradd, [x, Const(c)]) if -(1 << 15) <= attr.off + c < 1 << 15 and not (isinstance(attr, Mem) and attr.core):
            op.args[0] = x
            op.attr = attr._replace(off=attr.off + c)
            s.changed = True
    if op.row is R.store and isinstance(attr, Mem):
        op.args[1] = _stored(s, op.args[1], attr.size)
    return None


def _stored(s: Rewriter, v: Value, size: int) -> Value:
    """A value with the same low `size` bytes."""
    mask = (1 << 8 * size) - 1
    while True:
        match v:
            case Op(R.and_, [x, Const(c)]) if not ~c & mask: v = x
            case Op(r, [x]) if r in SEXT and SEXT[r] >= 8 * size: v = x
            case _: return v
        s.changed = True


RULES: Final[Rules] = {
    R.ptradd: _ptradd, R.ptrdiff: _ptrdiff, R.cast: _cast, R.below: _below, R.nonnull: _nonnull, R.load: _access, R.store: _access, R.rmw: _access,
}
