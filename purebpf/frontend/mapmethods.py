"""Methods of maps: `m.lookup(k)`, `m.get(k)`, `rb.output(v)`, `q.pop()`. What they take stands in `callables`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..tree.convert import coerce
from ..tree.kinds import NONE, Broken, Context, Optional, Origin, Ptr, Resource, join, narrowed
from ..tree.nodes import Cast, Compare, Expr, If, IfElse, Lit, Local, Maybe, Number, SlotPlace, Store, Temp
from . import arith, fitting, helpers, keeping, maps, memory
from .context import Checker
from .maps import STATUS, TRUTH, MapOf


def look_up(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.lookup(key)`."""
    return maps.lookup(c, map, args[0], node)


def get(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.get(key)`, `m.get(key, default)`: a copy."""
    default = c.hold(keeping.settle(c, args[1], node), "default") if len(args) > 1 else Lit(c.span(node), None)
    found = c.hold(maps.lookup(c, map, args[0], node), "found")
    if map.decl.inner is not None:
        return found
    kind = found.kind
    assert isinstance(kind, Ptr)
    there = memory.present(c, found)
    place = memory.deref(c, Cast(found.span, narrowed(kind), found), node)
    value = memory.load(c, place, node)
    if not isinstance(value.kind, Ptr) or not memory.is_place(value):
        return _either(c, there, value, default, kind.why, node)
    slot = c.slot(maps.value_of(map))
    span = c.span(node)
    c.emit(If(span, there, [Store(span, slot, place)], []))
    assert isinstance(slot.kind, Ptr)
    copy = SlotPlace(span, slot.kind._replace(fresh=False), slot.slot)
    if default.kind == NONE:
        return Maybe(span, Optional(copy.kind, kind.why), there, copy)
    fallback = fitting.fitted(c, default, maps.value_of(map), node)
    c.emit(If(span, maps.none(c, found, node), [Store(span, slot, fallback)], []))
    return copy


def _either(c: Checker, there: Expr, value: Expr, default: Expr, why: str, node: ast.AST) -> Expr:
    """`value` where the condition holds, else `default`."""
    kind = join(value.kind, default.kind, "the result")
    if isinstance(kind, Optional):
        kind = kind._replace(why=why)
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node, help=kind.help)
    return IfElse(c.span(node), kind, there, coerce(value, kind), coerce(default, kind))


def update(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.update(key, value, flags)`."""
    key = maps.key_of(c, map, args[0], node)
    """`m.setdefault(key, value)`: the value in place; an absent key gets this one, or zeros."""
    layout = maps.value_of(map)
    start = args[1] if len(args) > 1 else fitting.blank(c, layout, node)
    value = c.hold(fitting.address_of(c, start, layout, node), "value")
    return maps.put(c, map, key, value, arith.integer(c, args[2], node), node)


def delete(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.delete(key)`: 0, or -ENOENT."""
    return maps.delete(c, map, args[0], node)


def setdefault(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.setdefault(key, value)`: the value in place; an absent key gets this one, or zeros."""
    layout = maps.value_of(map)
    start = args[1] if len(args) > 1 else fitting.blank(c, layout, node)
    value = c.hold(fitting.address_of(c, start, layout, node), "value")
    return maps.find_or_make(c, map, args[0], lambda: value, node)


def output(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`rb.output(value, flags)`: a copy of the value as a record."""
    layout = maps.value_of(map)
    data = fitting.address_of(c, args[0], layout, node)
    return helpers.emit_call(c, "ringbuf_output", (map.ref, data, Number(c.span(node), layout.size), arith.integer(c, args[1], node)), STATUS, node)


def perf_output(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`events.output(ctx, value, flags)`."""
    layout = maps.value_of(map)
    if not isinstance(args[0].kind, Context):
        raise c.mismatch("output() takes the program's context first", args[0].kind, node)
    data = fitting.address_of(c, args[1], layout, node)
    flags = arith.integer(c, args[2], node)
    return helpers.emit_call(c, "perf_event_output", (args[0], map.ref, flags, data, Number(c.span(node), layout.size)), STATUS, node)


def reserve(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`with rb.reserve() as e:`: room for one record in the ring buffer, or None when it is full."""
    if node is not c.entered:
        raise c.error("unsupported", "reserve() belongs into a with statement", node,
                      help="'with rb.reserve() as e:' submits the record at the end of the block")
    layout = maps.value_of(map)
    resource = Resource("the record", "the end of the with block", c.span(node), Local("keep", ("i64",)))
    kind = Ptr(layout, "mem", null=True, why="the ring buffer is full", origin=frozenset((Origin(resource),)), resource=resource)
    span = c.span(node)
    return helpers.emit_call(c, "ringbuf_reserve", (map.ref, Number(span, layout.size), Number(span, 0)), kind, node)


def discard(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`rb.discard(e)`: what `e.discard()` says, where the type of `e` is to have no such method."""
    kind = args[0].kind
    if not isinstance(kind, Ptr) or kind.resource is None or kind.resource.keep is None:
        raise c.mismatch("discard() takes the record of a 'with rb.reserve() as e:'", kind, node)
    return c.unit.tables.discard(c, kind.resource, node)


def push(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    data = fitting.address_of(c, args[0], maps.value_of(map), node)
    return helpers.emit_call(c, "map_push_elem", (map.ref, data, arith.integer(c, args[1], node)), STATUS, node)


def popper(helper: str) -> Callable[..., Expr]:
    def pop(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
        layout, span = maps.value_of(map), c.span(node)
        slot = c.slot(layout)
        room = Temp(span, slot.kind, slot.slot, fitting.blank(c, layout, node))  # type: ignore[arg-type]  # a slot's kind is a Ptr
        status = helpers.emit_call(c, helper, (map.ref, room), STATUS, node)
        there = c.hold(Compare(span, TRUTH, "eq", status, Number(span, 0)), "there")
        value = memory.load(c, slot, node)
        return Maybe(span, Optional(value.kind, "the map is empty"), there, value)

    return pop


def for_each(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    return c.unit.tables.for_each(c, map, args[0], node)
