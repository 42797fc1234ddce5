"""What a program does with maps: `m.lookup(k)`, `m[k] = v`, `m[k] += n`, `k in m`, `del m[k]`, ring buffers, queues."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from ..dsl import maps as decl
from ..dsl.ints import IntType
from ..dsl.layout import Layout
from ..tree.convert import coerce
from ..tree.kinds import BOOL, I64, NONE, U64, Broken, Choice, Const, Context, Int, Optional, Origin, Ptr, Resource, an, join, narrowed
from ..tree.nodes import (
    Arith, AtomicOp, Block, Break, Cast, Compare, Eval, Expr, Get, Guard, If, IfElse, Lit, Local,
    MapRef, Maybe, Number, Set, SlotPlace, Store, Temp,
)
from ..uapi import versions
from . import arith, fitting, helpers, instead, keeping, memory
from .context import Checker
from .names import near

BPF_ANY, BPF_NOEXIST = 0, 1
BPF_F_CURRENT_CPU = 0xFFFFFFFF
TRUTH = Int(BOOL, 0, 1, True)
STATUS = Int.of(I64)  # a helper's answer: 0, or a negative errno


class MapOf(NamedTuple):
    """A map as an operand: what was declared, and its address."""

    decl: decl.Map
    ref: Expr


def of(c: Checker, value: Expr, node: ast.AST) -> MapOf | None:
    """The map that a value is, or None: a declared one, or an inner one that a look-up gave."""
    kind = value.kind
    if isinstance(kind, Const) and c.unit.is_map(kind.value):
        c.unit.map_name(kind.value)
        return MapOf(kind.value, MapRef(c.span(node), Ptr(None, "map"), kind.value))
    if isinstance(kind, Ptr) and isinstance(kind.target, decl.MapType):
        if kind.null:
            raise arith.may_be_none(c, value, node)
        return MapOf(kind.target.map, value)
    return None


def choices(c: Checker, value: Expr, node: ast.AST) -> tuple[Expr, list[MapOf]] | None:
    """One of a few maps, which one is known at run time: the number of the one that it is, and all of them."""
    kind = value.kind
    if not isinstance(kind, Choice) or not all(c.unit.is_map(o.value) for o in kind.options):
        return None
    which = c.hold(Cast(value.span, Int(I64, 0, len(kind.options) - 1), value), "$which")
    return which, [m for o in kind.options if (m := of(c, Lit(value.span, o.value), node)) is not None]


def _key(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    if map.decl.key is None:
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} has no keys", node)
    index = arith.constant(key) if isinstance(map.decl, decl._Indexed) and isinstance(key, Lit) and key.written else None
    if index is not None and not 0 <= index < map.decl.max_entries:
        raise c.error("index", f"index {index} is outside this {type(map.decl).__name__} of {map.decl.max_entries}", key.span,
                      help=f"its indexes are 0 to {map.decl.max_entries - 1}" if map.decl.max_entries > 1 else "its only index is 0")
    return c.hold(fitting.address_of(c, key, map.decl.key, node), "key")


def _value(map: MapOf) -> Layout:
    assert map.decl.value is not None
    return map.decl.value


def lookup(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """`m.lookup(key)`: the value in place, or None."""
    if not isinstance(map.decl, decl._Lookup | decl._Indexed):
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} cannot be looked up", node)
    return _look(c, map, _key(c, map, key, node), node)


def _look(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    why = "the index is outside the map" if isinstance(map.decl, decl._Indexed) else "the key is absent"
    if map.decl.inner is not None:
        kind = Ptr(decl.MapType(map.decl.inner), "map", null=True, why=why)
    else:
        kind = Ptr(map.decl.value, "value", null=True, why=why, origin=frozenset((Origin(map.decl),)))
    return helpers.emit_call(c, "map_lookup_elem", (map.ref, key), kind, node)


def _must(c: Checker, pointer: Expr, node: ast.AST) -> Expr:
    """The pointer, or the end of the program."""
    pointer = c.hold(pointer, "entry")
    c.emit(Guard(c.span(node), memory.present(c, pointer)))
    c.function.aborts = True
    return Cast(pointer.span, narrowed(pointer.kind), pointer)


def read_entry(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """`m[key]` read. An array has every index inside it (outside, the program stops); a hash map may lack the key."""
    if not isinstance(map.decl, decl._Indexed):
        if not isinstance(map.decl, decl._Lookup):
            raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} has no entries to read", node, help=_by_name(map, "read", node))
        raise c.error("null-pointer", "the key may be absent here", node,
                      help="write 'm.get(key, default)', or 'v = m.lookup(key)' and test v")
    pointer = _must(c, lookup(c, map, key, node), node)
    if map.decl.inner is not None:
        return pointer
    return memory.load(c, entry_thing(c, pointer, node), node)


def entry_thing(c: Checker, pointer: Expr, node: ast.AST) -> Expr:
    """The place of an entry that was named by its key: the thing that stands there."""
    place = memory.deref(c, pointer, node)
    assert isinstance(place.kind, Ptr)
    place.kind = place.kind._replace(thing=True)
    return place


def entry_place(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """`m[key].field`: the value in place; a map that grows gets a zeroed value when the key is absent."""
    if not map.decl.creates:
        return entry_thing(c, _must(c, lookup(c, map, key, node), node), node)
    layout = _value(map)
    start = lambda: fitting.address_of(c, fitting.blank(c, layout, node), layout, node)  # noqa: E731
    return entry_thing(c, _find_or_make(c, map, key, start, node), node)


def _find_or_make(c: Checker, map: MapOf, key_value: Expr, value: Callable[[], Expr], node: ast.AST) -> Expr:
    """The value of a key in place; an absent key is made with `value()`, the address of what it starts with."""
    span, key = c.span(node), _key(c, map, key_value, node)
    found = _look(c, map, key, node)
    entry = Local("entry", ("value",))
    c.emit(Set(span, entry, found))
    here = Get(span, found.kind, entry)
    outer, c.out = c.out, []
    c.emit(Eval(span, helpers.emit_call(c, "map_update_elem", (map.ref, key, value(), Number(span, BPF_NOEXIST)), STATUS, node)))
    c.emit(Set(span, entry, _look(c, map, key, node)))
    c.emit(Guard(span, memory.present(c, here)))
    c.function.aborts = True
    missing, c.out = c.out, outer
    c.emit(If(span, _none(c, here, node), missing, []))
    return Cast(span, narrowed(found.kind), here)


def _none(c: Checker, value: Expr, node: ast.AST) -> Expr:
    from ..tree.nodes import IsNone

    return IsNone(c.span(node), TRUTH, value)


# what maps without keys have instead of them
KEYLESS: dict[tuple[type[decl.Map], str], str] = {
    (decl.RingBuf, "assign"): "output(value)", (decl.PerfEventArray, "assign"): "output(ctx, value)",
    (decl._Pushed, "assign"): "push(value)", (decl._Pushed, "read"): "pop()",
}


def _by_name(map: MapOf, act: str, node: ast.AST) -> str:
    name = ast.unparse(node.value) if isinstance(node, ast.Subscript) else "it"
    if isinstance(map.decl, decl.ProgArray) and act == "read":
        return f"write '{name}[i](ctx)'"
    found = next((text for (cls, what), text in KEYLESS.items() if isinstance(map.decl, cls) and what == act), "")
    return f"write '{name}.{found}'" if found else ""


def set_entry(c: Checker, map: MapOf, key: Expr, value: Expr, node: ast.AST) -> None:
    """`m[key] = value`."""
    if map.decl.inner is not None:
        raise c.error("read-only", f"a program cannot put maps into {an(type(map.decl).__name__)}", node)
    if isinstance(map.decl, decl._Indexed):
        layout = _value(map)
        value = fitting.fitted(c, value, layout, node)
        if not isinstance(layout, IntType):
            value = c.hold(value, "value") if isinstance(value.kind, Ptr) else keeping.placed(c, value, layout, node)
            value = c.hold(value, "value") if not isinstance(value, Get) else value
        else:
            value = c.hold(value, "value")
        fitting.store(c, entry_thing(c, _must(c, lookup(c, map, key, node), node), node), value, node)
    elif isinstance(map.decl, decl._Lookup):
        c.emit(Eval(c.span(node), _update(c, map, [value, key], node, swapped=True)))
    else:
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} has no entries to assign", node, help=_by_name(map, "assign", node))


def add_entry(c: Checker, map: MapOf, key_value: Expr, word: str, value: Callable[[], Expr], node: ast.AST) -> bool:
    """`m[key] += n` (also -=, |=, &=, ^=): atomic on shared maps, makes an absent key. False: not a number, do it by parts."""
    layout = map.decl.value
    if not isinstance(map.decl, decl._Lookup | decl._Indexed) or not isinstance(layout, IntType) or layout.big_endian:
        return False
    span, key = c.span(node), _key(c, map, key_value, node)
    number = c.hold(arith.integer(c, value(), node), "n")
    if not map.decl.creates:
        place = memory.deref(c, _must(c, _look(c, map, key, node), node), node)
        add_in_place(c, place, word, number, map.decl.per_cpu, node)
        return True
    found = _look(c, map, key, node)
    entry = Local("entry", ("value",))
    here = Get(span, found.kind, entry)
    done = Block(span)
    outer, c.out = c.out, []
    start = arith.integer(c, arith.binary(c, word, Number(span, 0), number, node), node)
    blank = keeping.placed(c, arith.wrap(c, start, layout, node), layout, node)
    made = helpers.emit_call(c, "map_update_elem", (map.ref, key, blank, Number(span, BPF_NOEXIST)), STATUS, node)
    c.emit(If(span, Compare(span, TRUTH, "eq", made, Number(span, 0)), [Break(span, done)], []))
    c.emit(Set(span, entry, _look(c, map, key, node)))  # another CPU made the key first: add to what it made
    c.emit(If(span, _none(c, here, node), [Break(span, done)], []))
    missing, c.out = c.out, []
    place = memory.deref(c, Cast(span, narrowed(found.kind), here), node)
    add_in_place(c, place, word, number, map.decl.per_cpu, node)
    adding, c.out = c.out, outer
    done.body = [Set(span, entry, found), If(span, _none(c, here, node), missing, []), *adding]
    c.emit(done)
    return True


ATOMIC = {"+": "add", "-": "add", "|": "or", "&": "and", "^": "xor"}


def add_in_place(c: Checker, place: Expr, word: str, number: Expr, per_cpu: bool, node: ast.AST) -> None:
    """`place word= number`: one atomic instruction where the memory is shared and the kernel has one for it."""
    kind = place.kind
    assert isinstance(kind, Ptr) and isinstance(kind.target, IntType)
    fitting.writable(c, kind, node)
    layout, span = kind.target, c.span(node)
    c.effects.writes = True
    if per_cpu or word not in ATOMIC or layout.size not in (4, 8) or layout.big_endian or memory.bit_field(place):
        old = arith.integer(c, memory.load(c, place, node), node)
        new = arith.integer(c, arith.binary(c, word, old, number, node), node)
        fitting.store(c, place, arith.wrap(c, new, layout, node), node)
        return
    if word == "-":
        number = Arith(span, Int.of(U64), "-", Number(span, 0), number)
    if ATOMIC[word] != "add":
        c.unit.need(c, versions.feature("atomics"), f"an atomic '{word}='", node)
    c.emit(AtomicOp(span, ATOMIC[word], place, number))


# --- methods: (checker, map, arguments, node) -> value -------------------------------------------------------------------


def _method_lookup(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    return lookup(c, map, args[0], node)


def _get(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.get(key)`, `m.get(key, default)`: a copy."""
    default = c.hold(keeping.settle(c, args[1], node), "default") if len(args) > 1 else Lit(c.span(node), None)
    found = c.hold(lookup(c, map, args[0], node), "found")
    if map.decl.inner is not None:
        return found
    kind = found.kind
    assert isinstance(kind, Ptr)
    there = memory.present(c, found)
    place = memory.deref(c, Cast(found.span, narrowed(kind), found), node)
    value = memory.load(c, place, node)
    if not isinstance(value.kind, Ptr) or not memory.is_place(value):
        return _either(c, there, value, default, kind.why, node)
    slot = c.slot(_value(map))
    span = c.span(node)
    c.emit(If(span, there, [Store(span, slot, place)], []))
    assert isinstance(slot.kind, Ptr)
    copy = SlotPlace(span, slot.kind._replace(fresh=False), slot.slot)
    if default.kind == NONE:
        return Maybe(span, Optional(copy.kind, kind.why), there, copy)
    fallback = fitting.fitted(c, default, _value(map), node)
    c.emit(If(span, _none(c, found, node), [Store(span, slot, fallback)], []))
    return copy


def _either(c: Checker, there: Expr, value: Expr, default: Expr, why: str, node: ast.AST) -> Expr:
    """`value` where the condition holds, else `default`."""
    kind = join(value.kind, default.kind, "the result")
    if isinstance(kind, Optional):
        kind = kind._replace(why=why)
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node, help=kind.help)
    return IfElse(c.span(node), kind, there, coerce(value, kind), coerce(default, kind))


def _update(c: Checker, map: MapOf, args: list[Expr], node: ast.AST, swapped: bool = False) -> Expr:
    """`m.update(key, value, flags)`. In `m[key] = value` the value is evaluated first."""
    if swapped:
        value = c.hold(fitting.address_of(c, args[0], _value(map), node), "value")
        key = _key(c, map, args[1], node)
    else:
        key = _key(c, map, args[0], node)
        value = c.hold(fitting.address_of(c, args[1], _value(map), node), "value")
    flags = arith.integer(c, args[2], node) if len(args) > 2 else Number(c.span(node), BPF_ANY)
    keeping.preserve_origins(c, (Origin(map.decl),), _value(map).size, node)
    return helpers.emit_call(c, "map_update_elem", (map.ref, key, value, flags), STATUS, node)


def delete(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`m.delete(key)`, `del m[key]`: 0, or -ENOENT."""
    return helpers.emit_call(c, "map_delete_elem", (map.ref, _key(c, map, args[0], node)), STATUS, node)


def _setdefault(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    value = c.hold(fitting.address_of(c, args[1], _value(map), node), "value")
    return _find_or_make(c, map, args[0], lambda: value, node)


def _output(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    span, layout = c.span(node), _value(map)
    size = Number(span, layout.size)
    if isinstance(map.decl, decl.PerfEventArray):
        if not isinstance(args[0].kind, Context):
            raise c.mismatch("output() takes the program's context first", args[0].kind, node)
        data = fitting.address_of(c, args[1], layout, node)
        flags = arith.integer(c, args[2], node) if len(args) > 2 else Number(span, BPF_F_CURRENT_CPU)
        return helpers.emit_call(c, "perf_event_output", (args[0], map.ref, flags, data, size), STATUS, node)
    data = fitting.address_of(c, args[0], layout, node)
    flags = arith.integer(c, args[1], node) if len(args) > 1 else Number(span, 0)
    return helpers.emit_call(c, "ringbuf_output", (map.ref, data, size, flags), STATUS, node)


def reserve(c: Checker, map: MapOf, node: ast.AST) -> Expr:
    """`rb.reserve()`: room for one record in the ring buffer, or None when it is full."""
    layout = _value(map)
    resource = Resource("the record", "the end of the with block", c.span(node), Local("keep", ("i64",)))
    kind = Ptr(layout, "mem", null=True, why="the ring buffer is full", origin=frozenset((Origin(resource),)), resource=resource)
    span = c.span(node)
    return helpers.emit_call(c, "ringbuf_reserve", (map.ref, Number(span, layout.size), Number(span, 0)), kind, node)


def _reserve_outside(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    raise c.error("unsupported", "reserve() belongs into a with statement", node,
                  help="'with rb.reserve() as e:' submits the record at the end of the block")


def _discard(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    """`rb.discard(e)`: what `e.discard()` says, where the type of `e` is to have no such method."""
    kind = args[0].kind
    if not isinstance(kind, Ptr) or kind.resource is None or kind.resource.keep is None:
        raise c.mismatch("discard() takes the record of a 'with rb.reserve() as e:'", kind, node)
    return c.unit.tables.discard(c, kind.resource, [], node)


def _push(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    data = fitting.address_of(c, args[0], _value(map), node)
    flags = arith.integer(c, args[1], node) if len(args) > 1 else Number(c.span(node), BPF_ANY)
    return helpers.emit_call(c, "map_push_elem", (map.ref, data, flags), STATUS, node)


def _add(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    return _push(c, map, args, node)


def _popper(helper: str) -> Callable[..., Expr]:
    def pop(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
        layout, span = _value(map), c.span(node)
        slot = c.slot(layout)
        room = Temp(span, slot.kind, slot.slot, fitting.blank(c, layout, node))  # type: ignore[arg-type]  # a slot's kind is a Ptr
        status = helpers.emit_call(c, helper, (map.ref, room), STATUS, node)
        there = c.hold(Compare(span, TRUTH, "eq", status, Number(span, 0)), "there")
        value = memory.load(c, slot, node)
        return Maybe(span, Optional(value.kind, "the map is empty"), there, value)

    return pop


def _for_each(c: Checker, map: MapOf, args: list[Expr], node: ast.AST) -> Expr:
    return c.unit.tables.for_each(c, map, args[0], node)


Handler = Callable[[Checker, MapOf, "list[Expr]", ast.AST], Expr]
METHODS: dict[tuple[type[decl.Map], str], tuple[Handler, int, int]] = {  # (class, name) -> handler, fewest and most arguments
    (decl._Lookup, "lookup"): (_method_lookup, 1, 1),
    (decl._Indexed, "lookup"): (_method_lookup, 1, 1),
    (decl._Lookup, "get"): (_get, 1, 2),
    (decl._Indexed, "get"): (_get, 1, 2),
    (decl._Lookup, "update"): (_update, 2, 3),
    (decl._Indexed, "update"): (_update, 2, 3),
    (decl._Lookup, "delete"): (delete, 1, 1),
    (decl._Lookup, "setdefault"): (_setdefault, 2, 2),
    (decl._Lookup, "for_each"): (_for_each, 1, 1),
    (decl._Indexed, "for_each"): (_for_each, 1, 1),
    (decl.RingBuf, "output"): (_output, 1, 2),
    (decl.PerfEventArray, "output"): (_output, 2, 3),
    (decl.RingBuf, "reserve"): (_reserve_outside, 0, 0),
    (decl.RingBuf, "discard"): (_discard, 1, 1),
    (decl.BloomFilter, "add"): (_add, 1, 1),
    (decl._Pushed, "push"): (_push, 1, 2),
    (decl._Pushed, "pop"): (_popper("map_pop_elem"), 0, 0),
    (decl._Pushed, "peek"): (_popper("map_peek_elem"), 0, 0),
}


def _called(map: MapOf, name: str, node: ast.AST) -> str:
    """How a method is called."""
    owner = ast.unparse(node.func.value) + "." if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    if name == "output":
        return f"write '{owner}output({'ctx, ' * isinstance(map.decl, decl.PerfEventArray)}value)'"
    return f"it is {owner}{instead.CALLED[name]}" if name in instead.CALLED else ""


def has_method(map: MapOf, name: str) -> bool:
    return any((cls, name) in METHODS for cls in type(map.decl).__mro__)


def method(c: Checker, map: MapOf, name: str, args: list[Expr], node: ast.AST) -> Expr:
    """`m.name(…)`."""
    for cls in type(map.decl).__mro__:
        row = METHODS.get((cls, name))
        if row:
            handler, fewest, most = row
            if not fewest <= len(args) <= most:
                wanted = fewest if fewest == most else f"{fewest} to {most}"
                raise c.error("arguments", f"{type(map.decl).__name__}.{name}() takes {wanted} "
                              f"argument{'s' * (most != 1)}, {len(args)} given", node, help=_called(map, name, node))
            return handler(c, map, args, node)
    names = sorted({n for (cls, n) in METHODS if isinstance(map.decl, cls)})
    raise c.error("undefined-name", f"{an(type(map.decl).__name__)} has no {name!r} in a program", node,
                  help=instead.of_method(name, names) or near(name, names) or f"it has {', '.join(names)}")


def member(c: Checker, container: Expr, item: Expr, node: ast.AST) -> Expr | None:
    """`key in m`, `value in bloom`; None if the container is no map."""
    map = of(c, container, node) if isinstance(container.kind, Const | Ptr) else None
    if map is None:
        return None
    if isinstance(map.decl, decl.BloomFilter):
        value = fitting.address_of(c, item, _value(map), node)
        if isinstance(value.kind, Ptr) and value.kind.region == "packet":
            value = keeping.placed(c, value, _value(map), node)  # peek takes no packet
        status = helpers.emit_call(c, "map_peek_elem", (map.ref, value), STATUS, node)
        return Compare(c.span(node), TRUTH, "eq", status, Number(c.span(node), 0))
    if not isinstance(map.decl, decl._Lookup | decl._Indexed):
        raise c.error("type-mismatch", f"a {type(map.decl).__name__} cannot be asked what is in it", node)
    return memory.present(c, lookup(c, map, item, node))


def tail_call(c: Checker, map: MapOf, index: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`progs[i](ctx)`: continues there and does not come back; if that entry is empty, the program goes on."""
    ctx = args[0] if args else c.ctx
    if ctx is None or not isinstance(ctx.kind, Context):
        raise c.mismatch("a tail call takes the program's context", ctx.kind if ctx else NONE, node)
    index = arith.integer(c, index, node)
    c.emit(Eval(c.span(node), helpers.emit_call(c, "tail_call", (ctx, map.ref, index), STATUS, node)))
    return Lit(c.span(node), None)
