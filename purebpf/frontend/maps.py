"""What a program does with maps: `m.lookup(k)`, `m[k] = v`, `m[k] += n`, `k in m`, `del m[k]`, ring buffers, queues."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from ..dsl import maps as decl
from ..dsl.ints import IntType
from ..dsl.layout import Layout
from ..dsl.redirects import Sockets
from ..dsl.storages import Storage
from ..tree.kinds import BOOL, I64, NONE, U64, Choice, Const, Context, Int, Origin, Ptr, an, narrowed
from ..tree.nodes import (
    Arith, AtomicOp, Block, Break, Cast, Compare, Eval, Expr, Get, Guard, Helper, If, Lit, Local,
    MapRef, Number, Set,
)
from ..uapi import versions
from . import arith, fitting, helpers, keeping, mapuse, memory, storages
from .context import Checker

KEYED = (decl._Lookup, decl._Indexed, Storage)  # maps whose values a program looks up
LOSING = (decl._Lookup, Storage, Sockets)  # maps whose entries a program deletes
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
        mapuse.uses(c, kind.value, node)
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


def key_of(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    if isinstance(map.decl, Storage):
        return storages.owner(c, map.decl, key, node)
    if map.decl.key is None:
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} has no keys", node)
    index = arith.constant(key) if isinstance(map.decl, decl._Indexed) and isinstance(key, Lit) and key.written else None
    if index is not None and not 0 <= index < map.decl.max_entries:
        raise c.error("index", f"index {index} is outside this {type(map.decl).__name__} of {map.decl.max_entries}", key.span,
                      help=f"its indexes are 0 to {map.decl.max_entries - 1}" if map.decl.max_entries > 1 else "its only index is 0")
    return c.hold(fitting.address_of(c, key, map.decl.key, node), "key")


def value_of(map: MapOf) -> Layout:
    assert map.decl.value is not None
    return map.decl.value


def lookup(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """`m.lookup(key)`: the value in place, or None."""
    if not isinstance(map.decl, KEYED):
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} cannot be looked up", node)
    return _look(c, map, key_of(c, map, key, node), node)


def _entry(map: MapOf) -> Ptr:
    """What a look-up gives."""
    why = "the index is outside the map" if isinstance(map.decl, decl._Indexed) else "the key is absent"
    if isinstance(map.decl, Storage):
        why = f"this {map.decl.owner} has no value"
    if map.decl.inner is not None:
        return Ptr(decl.MapType(map.decl.inner), "map", null=True, why=why)
    readonly = bool(map.decl.flags & decl.FLAGS["readonly"])
    return Ptr(map.decl.value, "value", null=True, why=why, writable=not readonly, origin=frozenset((Origin(map.decl),)))


def _look(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    kind = _entry(map)
    if isinstance(map.decl, Storage):
        return storages.look(c, map.decl, map.ref, key, kind, node)
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
        if not isinstance(map.decl, KEYED):
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
    layout = value_of(map)
    start = lambda: fitting.address_of(c, fitting.blank(c, layout, node), layout, node)  # noqa: E731
    return entry_thing(c, find_or_make(c, map, key, start, node), node)


def find_or_make(c: Checker, map: MapOf, key_value: Expr, value: Callable[[], Expr], node: ast.AST) -> Expr:
    """The value of a key in place; an absent key is made with `value()`, the address of what it starts with."""
    span, key = c.span(node), key_of(c, map, key_value, node)
    if isinstance(map.decl, Storage):
        return _must(c, storages.make(c, map.decl, map.ref, key, value(), _entry(map), node), node)
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
    c.emit(If(span, none(c, here, node), missing, []))
    return Cast(span, narrowed(found.kind), here)


def none(c: Checker, value: Expr, node: ast.AST) -> Expr:
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
    if isinstance(map.decl, Sockets):
        from .redirects import put_socket

        c.emit(Eval(c.span(node), put_socket(c, map, [value, key, Number(c.span(node), BPF_ANY)], node)))
    elif isinstance(map.decl, decl._Indexed | Storage):
        layout = value_of(map)
        value = fitting.fitted(c, value, layout, node)
        if not isinstance(layout, IntType):
            value = c.hold(value, "value") if isinstance(value.kind, Ptr) else keeping.placed(c, value, layout, node)
            value = c.hold(value, "value") if not isinstance(value, Get) else value
        else:
            value = c.hold(value, "value")
        fitting.store(c, entry_place(c, map, key, node), value, node)
    elif isinstance(map.decl, decl._Lookup):
        there = c.hold(fitting.address_of(c, value, value_of(map), node), "value")  # Python evaluates it before the key
        c.emit(Eval(c.span(node), put(c, map, key_of(c, map, key, node), there, Number(c.span(node), BPF_ANY), node)))
    else:
        raise c.error("type-mismatch", f"{an(type(map.decl).__name__)} has no entries to assign", node, help=_by_name(map, "assign", node))


def add_entry(c: Checker, map: MapOf, key_value: Expr, word: str, value: Callable[[], Expr], node: ast.AST) -> bool:
    """`m[key] += n` (also -=, |=, &=, ^=): atomic on shared maps, makes an absent key. False: not a number, do it by parts."""
    layout = map.decl.value
    if not isinstance(map.decl, KEYED) or not isinstance(layout, IntType) or layout.big_endian:
        return False
    if isinstance(map.decl, Storage):
        key_value = c.hold(key_value, "owner") if not isinstance(key_value, Helper) else key_value
        number = c.hold(arith.integer(c, value(), node), "n")
        add_in_place(c, entry_place(c, map, key_value, node), word, number, False, node)
        return True
    span, key = c.span(node), key_of(c, map, key_value, node)
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
    c.emit(If(span, none(c, here, node), [Break(span, done)], []))
    missing, c.out = c.out, []
    place = memory.deref(c, Cast(span, narrowed(found.kind), here), node)
    add_in_place(c, place, word, number, map.decl.per_cpu, node)
    adding, c.out = c.out, outer
    done.body = [Set(span, entry, found), If(span, none(c, here, node), missing, []), *adding]
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


def put(c: Checker, map: MapOf, key: Expr, value: Expr, flags: Expr, node: ast.AST) -> Expr:
    """The entry is made or replaced; names for what it was keep what they have."""
    if map.decl.flags & decl.FLAGS["readonly"]:
        raise c.error("read-only", "this map is declared 'readonly': programs cannot write it", node)
    keeping.preserve_origins(c, (Origin(map.decl),), value_of(map).size, node)
    return helpers.emit_call(c, "map_update_elem", (map.ref, key, value, flags), STATUS, node)


def delete(c: Checker, map: MapOf, key: Expr, node: ast.AST) -> Expr:
    """`del m[key]`: 0, or -ENOENT."""
    if isinstance(map.decl, Storage):
        return storages.delete(c, map.decl, map.ref, key_of(c, map, key, node), node)
    return helpers.emit_call(c, "map_delete_elem", (map.ref, key_of(c, map, key, node)), STATUS, node)


# --- others -----------------------------------------------------------------------------------------------------------


def member(c: Checker, container: Expr, item: Expr, node: ast.AST) -> Expr | None:
    """`key in m`, `value in bloom`; None if the container is no map."""
    map = of(c, container, node) if isinstance(container.kind, Const | Ptr) else None
    if map is None:
        return None
    if isinstance(map.decl, decl.BloomFilter):
        value = fitting.address_of(c, item, value_of(map), node)
        if isinstance(value.kind, Ptr) and value.kind.region == "packet":
            value = keeping.placed(c, value, value_of(map), node)  # peek takes no packet
        status = helpers.emit_call(c, "map_peek_elem", (map.ref, value), STATUS, node)
        return Compare(c.span(node), TRUTH, "eq", status, Number(c.span(node), 0))
    if not isinstance(map.decl, KEYED):
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
