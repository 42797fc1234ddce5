"""What a program does with maps: `m.lookup(k)`, `m[k] = v`, `m[k] += n`, `k in m`, `del m[k]`, ring buffers, queues."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dsl import maps as decl
from ..dsl.ints import IntType
from ..dsl.layout import Layout
from ..ir.function import Const, Value
from ..ir.ops import Rmw, Symbol
from ..ir.types import PTR
from . import arith, memory
from .flow import branch, enter, goto
from .values import I64, Entry, Int, Known, Place, Pointer, Val

if TYPE_CHECKING:
    from .context import Lowering

BPF_ANY, BPF_NOEXIST = 0, 1
BPF_F_CURRENT_CPU = 0xFFFFFFFF


def map_address(f: Lowering, map: decl.Map) -> Value:
    """The address of the map."""
    return f.b.op("mapaddr", type=PTR["map"], attr=Symbol(f.unit.map_name(map)))


def _key(f: Lowering, map: decl.Map, key: Val, node: ast.AST) -> Value:
    if map.key is None:
        raise f.error("type-mismatch", f"a {type(map).__name__} has no keys", node)
    return memory.place_of(f, key, map.key, node)


def _value_layout(map: decl.Map) -> Layout:
    assert map.value is not None
    return map.value


def lookup(f: Lowering, map: decl.Map, key: Val, node: ast.AST) -> Pointer:
    """`m.lookup(key)`: the value in place, or None."""
    if not isinstance(map, decl._Lookup | decl._Indexed):
        raise f.error("type-mismatch", f"a {type(map).__name__} cannot be looked up", node)
    ir = f.unit.call_helper(f, "map_lookup_elem", map_address(f, map), _key(f, map, key, node), result=PTR["value"])
    outside = isinstance(map, decl._Indexed)
    return Pointer(ir, map.value, f.op("ne", ir, 0), "the index is outside the map" if outside else "the key is absent")


def read_entry(f: Lowering, entry: Entry, node: ast.AST) -> Val:
    """`m[key]` read. An array has every index inside it (outside, the program stops); a hash map may lack the key."""
    if not isinstance(entry.map, decl._Indexed):
        raise f.error("null-pointer", "the key may be absent here", node,
                      help="write 'm.get(key, default)', or 'v = m.lookup(key)' and test v")
    return memory.load(f, memory.deref(f, _must(f, lookup(f, entry.map, entry.key, node)), node), node)


def _must(f: Lowering, pointer: Pointer) -> Pointer:
    assert pointer.present is not None
    f.guard(pointer.present)
    return pointer._replace(present=None)


def entry_pointer(f: Lowering, entry: Entry, node: ast.AST) -> Pointer:
    """`m[key].field`: the value in place; a map that grows gets a zeroed value when the key is absent."""
    if not entry.map.creates:
        return _must(f, lookup(f, entry.map, entry.key, node))
    return _find_or_make(f, entry.map, entry.key, lambda: memory.blank(f, _value_layout(entry.map), node), node)


def _find_or_make(f: Lowering, map: decl.Map, key_value: Val, value: Callable[[], Value], node: ast.AST) -> Pointer:
    """The value of a key in place; an absent key is made with `value()`, the address of what it starts with."""
    key = _key(f, map, key_value, node)
    found, missing, end = f.join("found"), f.join("missing"), f.join("entry")
    first = lookup(f, map, _keep(key, map), node)
    branch(f, first.present or Const(1), found, missing)
    enter(f, missing)
    f.unit.call_helper(f, "map_update_elem", map_address(f, map), key, value(), BPF_NOEXIST)
    f.env["$value"] = _must(f, lookup(f, map, _keep(key, map), node))
    goto(f, end)
    enter(f, found)
    f.env["$value"] = first._replace(present=None)
    goto(f, end)
    enter(f, end)
    result = f.env.pop("$value")
    assert isinstance(result, Pointer)
    return result


def _keep(key: Value, map: decl.Map) -> Val:
    """A key that already is in memory."""
    assert map.key is not None
    return Place(key, 0, map.key)


def set_entry(f: Lowering, entry: Entry, value: Val, node: ast.AST) -> None:
    """`m[key] = value`."""
    map = entry.map
    if isinstance(map, decl._Indexed):
        place = memory.deref(f, _must(f, lookup(f, map, entry.key, node)), node)
        memory.store(f, place, value, node)
    elif isinstance(map, decl._Lookup):
        _update(f, map, [entry.key, value], node)
    else:
        raise f.error("type-mismatch", f"a {type(map).__name__} has no entries to assign", node)


def add_entry(f: Lowering, entry: Entry, word: str, value: Val, node: ast.AST) -> bool:
    """`m[key] += n` (also -=, |=, &=, ^=): atomic on shared maps, makes an absent key. False: not a number, do it by parts."""
    map = entry.map
    layout = map.value
    if not isinstance(map, decl._Lookup | decl._Indexed) or not isinstance(layout, IntType) or layout.big_endian:
        return False
    number = f.integer(value, node)
    if not map.creates:
        add_in_place(f, memory.deref(f, _must(f, lookup(f, map, entry.key, node)), node), word, number, map.per_cpu, node)
        return True
    key = _key(f, map, entry.key, node)
    found, missing, raced, end = f.join("found"), f.join("missing"), f.join("raced"), f.join("added")
    first = lookup(f, map, _keep(key, map), node)
    f.env["$value"] = first._replace(present=None)
    branch(f, first.present or Const(1), found, missing)
    enter(f, missing)
    start = arith.binary(f, word, arith.constant(0), number, node)
    blank = memory.materialize(f, _cut(f, start, layout, node), layout, node)
    done = f.unit.call_helper(f, "map_update_elem", map_address(f, map), key, blank.ptr, BPF_NOEXIST)
    branch(f, f.op("eq", done, 0), end, raced)  # another CPU made the key first: add to what it made
    enter(f, raced)
    again = lookup(f, map, _keep(key, map), node)
    f.env["$value"] = again._replace(present=None)
    branch(f, again.present or Const(1), found, end)
    enter(f, found)
    pointer = f.env["$value"]
    assert isinstance(pointer, Pointer)
    add_in_place(f, memory.deref(f, pointer, node), word, number, map.per_cpu, node)
    goto(f, end)
    enter(f, end)
    f.env.pop("$value", None)
    return True


def _cut(f: Lowering, value: Val, layout: IntType, node: ast.AST) -> Int:
    return arith.wrap(f, f.integer(value, node), layout)


ATOMIC = {"+": "add", "-": "add", "|": "or", "&": "and", "^": "xor"}


def add_in_place(f: Lowering, place: Place, word: str, number: Int, per_cpu: bool, node: ast.AST) -> None:
    """`place word= number`: one atomic instruction where the memory is shared and the kernel has one for it."""
    layout = place.layout
    assert isinstance(layout, IntType)
    plain = per_cpu or word not in ATOMIC or layout.size not in (4, 8) or layout.big_endian
    if plain:
        old = f.integer(memory.load(f, place, node), node)
        memory.store(f, place, arith.wrap(f, f.integer(arith.binary(f, word, old, number, node), node), layout), node)
        return
    operand = f.op("neg", number.ir) if word == "-" else number.ir
    # Without `fetch` the add is in every kernel; the others, and 32-bit forms of them, came with cpu v3's atomics (5.12).
    f.b.op("rmw", place.ptr, operand, type=f.unit.void, attr=Rmw(ATOMIC[word], layout.size, place.off))


# --- methods -----------------------------------------------------------------------------------------------------------


def _method_lookup(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    return lookup(f, map, args[0], node)


def _get(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    found = lookup(f, map, args[0], node)
    if len(args) == 1:
        return found._replace(copy=True)
    yes, no, end = f.join("found"), f.join("missing"), f.join("got")
    branch(f, found.present or Const(1), yes, no, found.present)
    enter(f, yes)
    f.env["$value"] = memory.load(f, memory.deref(f, found, node), node)
    if isinstance(f.env["$value"], Place):
        raise f.error("unsupported", "get() with a default is for maps of numbers", node,
                      help="use 'v = m.lookup(key)' and test v")
    goto(f, end)
    enter(f, no)
    f.env["$value"] = args[1]
    goto(f, end)
    enter(f, end)
    return f.use(f.env.pop("$value"), node)


def _update(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    key = _key(f, map, args[0], node)
    value = memory.place_of(f, args[1], _value_layout(map), node)
    flags = f.integer(args[2], node).ir if len(args) > 2 else Const(BPF_ANY)
    return _status(f.unit.call_helper(f, "map_update_elem", map_address(f, map), key, value, flags))


def _status(ir: Value) -> Int:
    """A helper's answer: 0, or a negative errno."""
    return Int(ir, I64, I64.lo, I64.hi)


def delete(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    """`m.delete(key)`, `del m[key]`: 0, or -ENOENT."""
    return _status(f.unit.call_helper(f, "map_delete_elem", map_address(f, map), _key(f, map, args[0], node)))


def _setdefault(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    return _find_or_make(f, map, args[0], lambda: memory.place_of(f, args[1], _value_layout(map), node), node)


def _output(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    layout = _value_layout(map)
    if isinstance(map, decl.PerfEventArray):
        data = memory.place_of(f, args[1], layout, node)
        flags = f.integer(args[2], node).ir if len(args) > 2 else Const(BPF_F_CURRENT_CPU)
        ctx = f.unit.argument(f, args[0], node)
        return _status(f.unit.call_helper(f, "perf_event_output", ctx, map_address(f, map), flags, data, layout.size))
    data = memory.place_of(f, args[0], layout, node)
    flags = f.integer(args[1], node).ir if len(args) > 1 else Const(0)
    return _status(f.unit.call_helper(f, "ringbuf_output", map_address(f, map), data, layout.size, flags))


def reserve(f: Lowering, map: decl.Map, node: ast.AST) -> Pointer:
    """`rb.reserve()`: room for one record in the ring buffer, or None when it is full."""
    layout = _value_layout(map)
    ir = f.unit.call_helper(f, "ringbuf_reserve", map_address(f, map), layout.size, 0, result=PTR["mem"])
    return Pointer(ir, layout, f.op("ne", ir, 0), "the ring buffer is full")


def _reserve_outside(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    raise f.error("unsupported", "reserve() belongs into a with statement", node,
                  help="'with rb.reserve() as e:' submits the record at the end of the block")


def _push(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
    data = memory.place_of(f, args[0], _value_layout(map), node)
    flags = f.integer(args[1], node).ir if len(args) > 1 else Const(BPF_ANY)
    return _status(f.unit.call_helper(f, "map_push_elem", map_address(f, map), data, flags))


def _popper(helper: str) -> Callable[..., Val]:
    def pop(f: Lowering, map: decl.Map, args: list[Val], node: ast.AST) -> Val:
        layout = _value_layout(map)
        slot = Place(f.temporary(layout.size, 8), 0, layout)
        memory.zero(f, slot, layout.size)
        status = f.unit.call_helper(f, helper, map_address(f, map), slot.ptr)
        return Pointer(slot.ptr, layout, f.op("eq", status, 0), "the map is empty", copy=True)

    return pop


Handler = Callable[["Lowering", decl.Map, list[Val], ast.AST], Val]
METHODS: dict[tuple[type[decl.Map], str], tuple[Handler, int, int]] = {  # (class, name) -> handler, fewest and most arguments
    (decl._Lookup, "lookup"): (_method_lookup, 1, 1),
    (decl._Indexed, "lookup"): (_method_lookup, 1, 1),
    (decl._Lookup, "get"): (_get, 1, 2),
    (decl._Indexed, "get"): (_get, 1, 2),
    (decl._Lookup, "update"): (_update, 2, 3),
    (decl._Indexed, "update"): (_update, 2, 3),
    (decl._Lookup, "delete"): (delete, 1, 1),
    (decl._Lookup, "setdefault"): (_setdefault, 2, 2),
    (decl.RingBuf, "output"): (_output, 1, 2),
    (decl.PerfEventArray, "output"): (_output, 2, 3),
    (decl.RingBuf, "reserve"): (_reserve_outside, 0, 0),
    (decl._Pushed, "push"): (_push, 1, 2),
    (decl._Pushed, "pop"): (_popper("map_pop_elem"), 0, 0),
    (decl._Pushed, "peek"): (_popper("map_peek_elem"), 0, 0),
}


def method(f: Lowering, map: decl.Map, name: str, args: list[Val], node: ast.AST) -> Val:
    """`m.name(…)`."""
    for cls in type(map).__mro__:
        row = METHODS.get((cls, name))
        if row:
            handler, fewest, most = row
            if not fewest <= len(args) <= most:
                raise f.error("arguments", f"{type(map).__name__}.{name}() takes {fewest if fewest == most else f'{fewest} to {most}'} "
                              f"argument{'s' * (most != 1)}, {len(args)} given", node)
            return handler(f, map, args, node)
    import difflib

    names = sorted({n for (c, n) in METHODS if isinstance(map, c)})
    close = difflib.get_close_matches(name, names, 1)
    raise f.error("undefined-name", f"a {type(map).__name__} has no {name!r} in a program", node,
                  help=f"did you mean {close[0]!r}?" if close else f"it has {', '.join(names)}")


def tail_call(f: Lowering, entry: Entry, args: list[Val], node: ast.AST) -> Val:
    """`progs[i](ctx)`: continues there and does not come back; if that entry is empty, the program goes on."""
    index = f.integer(entry.key, node)
    ctx = f.unit.argument(f, args[0], node) if args else f.unit.argument(f, f.hook_ctx or Known(None), node)
    f.unit.call_helper(f, "tail_call", ctx, map_address(f, entry.map), index.ir)
    return Known(None)


