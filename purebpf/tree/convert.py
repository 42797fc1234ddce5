"""The one rule for turning a value into another kind: `coerce` for a join's kind, which always goes, and `convert` for what
is stored, passed or declared, which may not."""

from __future__ import annotations

from ..errors import Span
from .kinds import NONE, Choice, Const, Int, Kind, Optional, Ptr, Tuple, is_exact, number, rep
from .nodes import Cast, Expr, IfElse, Item, Lit, MakeTuple, Number, Seq, Undef


def coerce(value: Expr, kind: Kind) -> Expr:
    """`value` as `kind`, which is a join of its kind with others, or what a test left of it."""
    have = value.kind
    if have == kind:
        return value
    if isinstance(have, Const) and isinstance(kind, Int):
        known = number(have)
        if known is None:  # it has outgrown 64 bits in the rounds of a loop, where the variable would have wrapped
            assert isinstance(have.value, int)
            known = Int.of(kind.type)._replace(lo=(have.value - kind.type.lo) % (1 << kind.type.bits) + kind.type.lo)
        return _keeping(value, Number(value.span, known.lo, kind._replace(lo=kind.lo)))
    if isinstance(kind, Tuple) and not isinstance(have, Optional):
        return _tuple(value, kind)
    if have == NONE and isinstance(kind, Optional | Ptr):
        return _keeping(value, Undef(value.span, kind))  # all zero: None
    if isinstance(kind, Optional) and not isinstance(have, Optional) and not (isinstance(have, Ptr) and have.null):
        return Cast(value.span, kind, coerce(value, kind.some))
    if rep(have) == rep(kind) and isinstance(value, Number):
        assert isinstance(kind, Int)
        return Number(value.span, value.value, kind)
    return Cast(value.span, kind, value)


def _keeping(value: Expr, result: Expr) -> Expr:
    """`result`, after what a constant's expression does on the way."""
    return Seq(value.span, value.body, result) if isinstance(value, Seq) else result


def _tuple(value: Expr, kind: Tuple) -> Expr:
    if isinstance(value, MakeTuple):
        return MakeTuple(value.span, kind, tuple(map(coerce, value.items, kind.items)))
    if isinstance(value, Seq):
        return Seq(value.span, value.body, _tuple(value.value, kind))
    if isinstance(value, IfElse):
        return IfElse(value.span, kind, value.test, _tuple(value.yes, kind), _tuple(value.no, kind))
    have = value.kind
    if isinstance(have, Const):
        return MakeTuple(value.span, kind, tuple(coerce(Lit(value.span, v), k) for v, k in zip(have.value, kind.items)))
    if isinstance(have, Tuple) and not any(_changes(a, b) for a, b in zip(have.items, kind.items)):
        return Cast(value.span, kind, value)
    assert isinstance(have, Tuple)
    items = tuple(coerce(Item(value.span, k, value, i), want) for i, (k, want) in enumerate(zip(have.items, kind.items)))
    return MakeTuple(value.span, kind, items)


def _changes(a: Kind, b: Kind) -> bool:
    return rep(a) != rep(b)


def is_constant(value: Expr) -> bool:
    """A number or object known now."""
    return isinstance(value.kind, Const) or is_exact(value.kind)


def pick(span: Span, options: tuple[Const, ...], value: Const) -> Number:
    """A constant as an option of a Choice."""
    return Number(span, options.index(value))


__all__ = ["Choice", "coerce", "is_constant", "pick"]
