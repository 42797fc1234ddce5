"""Who holds what: values get memory of their own where a name gets hold of them, and names keep what is replaced."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..dsl.layout import ArrayType, Layout, StructType
from ..tree.kinds import Agg, Kind, Optional, Origin, Ptr, Tuple, is_string
from ..tree.nodes import Cast, Expr, Item, MakeTuple, Record, Row, Temp
from .context import Binding, Checker


def settle(c: Checker, value: Expr, node: ast.AST, name: str = "") -> Expr:
    """A value as a name holds it: struct values and text get memory of their own."""
    kind = value.kind
    if isinstance(kind, Agg):
        return placed(c, value, kind.layout, node, name)
    if isinstance(kind, Ptr) and is_string(kind.target) and not kind.fresh and not _constant_memory(kind):
        assert kind.target is not None
        return placed(c, value, kind.target, node, name)
    if isinstance(value, MakeTuple) and any(_unsettled(i.kind) for i in value.items):
        items = tuple(settle(c, i, node) for i in value.items)
        return MakeTuple(value.span, Tuple(tuple(i.kind for i in items)), items)
    if isinstance(kind, Ptr) and kind.fresh:
        return Cast(value.span, kind._replace(fresh=False), value)
    return value


def _unsettled(kind: Kind) -> bool:
    return isinstance(kind, Agg) or isinstance(kind, Ptr) and is_string(kind.target) and not kind.fresh


def _constant_memory(kind: Ptr) -> bool:
    """Memory that does not change while the program runs."""
    return kind.region == "data" and not kind.writable or kind.region == "ctx"


def placed(c: Checker, value: Expr, layout: Layout, node: ast.AST, name: str = "") -> Expr:
    """A value in memory of its own, in the frame; that of a name is used again when the name gets another such value."""
    place = c.slot(layout, name)
    if name:
        place.slot = c.slots.setdefault((name, layout), place.slot)
        kind = place.kind
        assert isinstance(kind, Ptr)
        here = frozenset((Origin(place.slot, 0, layout.size),))
        place.kind = kind._replace(origin=here)
        if any(origins(part.kind) & here for part in parts(value)):
            place = c.slot(layout, name)  # the new value is made of the old
        else:
            preserve(c, place, node, name)
    kind = place.kind
    assert isinstance(kind, Ptr)
    return Temp(c.span(node), kind, place.slot, value)


def parts(value: Expr) -> Iterable[Expr]:
    """The values that a struct or array value is made of, itself included."""
    yield value
    if isinstance(value, Record):
        for _, item in value.fields:
            yield from parts(item)
    elif isinstance(value, Row):
        for item in value.items:
            yield from parts(item)


def origins(kind: Kind) -> frozenset[Origin]:
    """The memory that a value of the kind leads to."""
    match kind:
        case Ptr(origin=origin):
            return origin
        case Optional(some=some):
            return origins(some)
        case Tuple(items=items):
            return frozenset().union(*(origins(i) for i in items))
        case _:
            return frozenset()


def preserve(c: Checker, place: Expr, node: ast.AST, assigned: str = "") -> None:
    """The whole thing at `place` is about to be replaced: names that stand for what is there get a copy of it."""
    kind = place.kind
    assert isinstance(kind, Ptr)
    if c.env is None:
        return
    for origin in kind.origin:
        if isinstance(origin.root, str):
            c.effects.overwritten.add((origin.root, origin.lo, origin.hi))
    assert kind.target is not None
    preserve_origins(c, kind.origin, kind.target.size, node, assigned)


def preserve_origins(c: Checker, origins: Iterable[Origin], size: int, node: ast.AST, assigned: str = "") -> None:
    """Names that stand for things in memory of which `size` bytes are replaced get copies. What is larger is not
    replaced, but changed: its names go on to stand for it."""
    env = c.env or {}
    replaced = tuple(o._replace(size=size) for o in origins)
    for key, binding in list(env.items()):
        if key == assigned or not _stands_in(binding.kind, replaced):
            continue
        copy = _copied(c, held_node(c, binding, node), replaced, node)
        c.bind(key, copy, key.split("@")[0])


def _stands_in(kind: Kind, replaced: tuple[Origin, ...]) -> bool:
    if isinstance(kind, Tuple):
        return any(_stands_in(i, replaced) for i in kind.items)
    if not isinstance(kind, Ptr) or not (kind.thing or kind.region == "stack") or kind.access != "direct":
        return False
    if not isinstance(kind.target, ArrayType | StructType):
        return False
    return any(o.overlaps(r) and kind.target.size <= r.size for o in kind.origin for r in replaced)


def _copied(c: Checker, value: Expr, replaced: tuple[Origin, ...], node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Tuple):
        items = tuple(Item(value.span, k, value, i) for i, k in enumerate(kind.items))
        new = tuple(_copied(c, i, replaced, node) if _stands_in(i.kind, replaced) else i for i in items)
        return MakeTuple(value.span, Tuple(tuple(i.kind for i in new)), new)
    assert isinstance(kind, Ptr) and kind.target is not None
    copy = placed(c, value, kind.target, node)
    assert isinstance(copy.kind, Ptr)
    copy.kind = copy.kind._replace(fresh=False)
    return copy


def held_node(c: Checker, binding: Binding, node: ast.AST) -> Expr:
    from .context import held

    return held(binding, c.span(node))
