"""Memory: places as an address with a constant offset, loads, stores, copies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Field, Layout, PtrType, StructType
from ..ir.function import Const, Op, Value
from ..ir.ops import Core, CoreConst, Data, Mem, Rmw, Slot, signed
from ..ir.types import I64, PTR, VOID
from ..tree import nodes as n
from ..tree.kinds import Agg, Int, Ptr, Text
from . import arith

if TYPE_CHECKING:
    from .values import Values

AT_ONCE = 64  # bytes that a copy loads before it stores any


class Place(NamedTuple):
    """Memory at `base` + `off`. `access`: how it is read. `core`: (root type, member numbers) where the offset is the
    running kernel's business. `bit`, `bits`: a bit-field. `aligned`: base is a multiple of 8."""

    base: Value
    off: int
    layout: Layout | None
    access: str = "direct"
    core: tuple[StructType, tuple[int, ...]] | None = None
    field: Field | None = None


def place(f: Values, node: n.Expr) -> Place:
    """The memory that a place node stands for."""
    kind = node.kind
    assert isinstance(kind, Ptr)
    match node:
        case n.Deref(pointer=pointer):
            return _at(f.pointer(pointer), kind)
        case n.Member(place=inner, field=field):
            return _member(f, place(f, inner), field, kind)
        case n.Element(place=inner, index=index, check=check):
            return _element(f, place(f, inner), index, check, kind)
        case n.At(place=inner, offset=offset):
            there = place(f, inner)
            moved = f.word(offset)
            if isinstance(moved, Const):
                return there._replace(off=there.off + moved.value, layout=kind.target, core=None, field=None)
            base = f.move(address(f, there), moved)
            return Place(base, 0, kind.target, kind.access)
        case n.GlobalPlace(variable=variable, name=name):
            section, off = f.unit.data.place(variable, name)
            base = f.b.op("dataaddr", type=PTR["data"], attr=Data(section, off, name))
            return Place(base, 0, kind.target)
        case n.Bytes(data=data):
            section, off = f.unit.data.constant(data)
            return Place(f.b.op("dataaddr", type=PTR["data"], attr=Data(section, off)), 0, kind.target)
        case n.SlotPlace(slot=slot):
            return Place(f.slot(slot), 0, kind.target)
        case n.CtxPlace(ctx=ctx, offset=offset, root=root):
            core = (root, (0,)) if root is not None else None
            return Place(f.word(ctx), offset, kind.target, core=core)
        case n.Temp(slot=slot, value=value):
            there = Place(f.slot(slot), 0, kind.target)
            store(f, there, value)
            return there
        case n.Seq(body=body, value=value):
            f.body(body)
            return place(f, value)
        case n.Cast(value=value) if isinstance(value.kind, Ptr) and not value.kind.null:
            return place(f, value)._replace(layout=kind.target)
        case _:
            return _at(f.pointer(node), kind)


def _at(base: Value, kind: Ptr) -> Place:
    target = kind.target
    core = (target, (0,)) if isinstance(target, StructType) and target.core else None
    return Place(base, 0, target, kind.access, core)


def _member(f: Values, there: Place, field: Field, kind: Ptr) -> Place:
    layout = there.layout
    assert isinstance(layout, StructType)
    core = None
    if there.core is not None:
        core = there.core[0], (*there.core[1], layout.emitted().index(field))
    return there._replace(off=there.off + field.offset, layout=field.type, core=core, field=field if field.bits else None)


def _element(f: Values, there: Place, index: n.Expr, check: bool, kind: Ptr) -> Place:
    layout = there.layout
    assert isinstance(layout, ArrayType) and kind.target is not None
    at = f.word(index)
    size = layout.elem.size
    if isinstance(at, Const):
        core = (there.core[0], (*there.core[1], at.value)) if there.core else None
        return there._replace(off=there.off + at.value * size, layout=layout.elem, core=core)
    if check:
        f.guard(f.b.op("ult", at, layout.count))
    if check or _masked(at):
        at = f.below(at, layout.count)
    base = address(f, there) if there.core else there.base
    moved = f.move(base, f.b.op("mul", at, size))
    core = (kind.target, (0,)) if isinstance(kind.target, StructType) and kind.target.core else None
    return Place(moved, 0 if there.core else there.off, layout.elem, there.access, core)


def _masked(v: Value) -> bool:
    """Is it bounded by an operation that a pass might find needless, though the kernel needs it?"""
    return isinstance(v, Op) and v.row.pure and (v.row.name in ("and", "umod") or any(map(_masked, v.args)))


def address(f: Values, there: Place) -> Value:
    """Where the place is; a CO-RE offset becomes an instruction that the loader patches."""
    if there.core is not None and len(there.core[1]) > 1:
        return f.move(there.base, core_value(f, there.core, n.CORE["byte_off"], there.off))
    return f.move(there.base, Const(there.off))


def numbers(root: Layout, path: Iterable[Field]) -> tuple[int, ...]:
    """The way to a member as CO-RE has it: numbers of members in the object's types."""
    out = [0]
    for field in path:
        assert isinstance(root, StructType)
        out.append(root.emitted().index(field))
        root = field.type
    return tuple(out)


def core_value(f: Values, core: tuple[Layout, tuple[int, ...]], kind: int, local: int) -> Value:
    """A CO-RE question, answered when the object is loaded."""
    return f.b.op("core", attr=CoreConst(_core(f, core, kind), local))


def _core(f: Values, core: tuple[Layout, tuple[int, ...]], kind: int) -> Core:
    return Core(f.unit.types.id_of(core[0]), ":".join(map(str, core[1])), kind)


# --- reading ---------------------------------------------------------------------------------------------------------


def load(f: Values, node: n.Load) -> Value:
    """The number or pointer at a place."""
    there = place(f, node.place)
    layout = there.layout
    if there.field is not None:
        return _load_bits(f, there)
    if isinstance(layout, IntType):
        if isinstance(node.kind, Ptr) and there.access == "direct":  # an edge of the packet, or what the kernel gives for one
            return f.b.load(there.base, layout.size, there.off, type=PTR[node.kind.region] if node.kind.region else I64)
        raw = _raw(f, there, layout.size, layout.signed)
        if layout.is_bool:
            return f.b.op("ne", raw, 0)
        return f.network(raw, layout.bits) if layout.big_endian else raw
    assert isinstance(layout, PtrType)
    region = node.kind.region if isinstance(node.kind, Ptr) else ""
    return _raw(f, there, 8, False, region)


def _raw(f: Values, there: Place, size: int, sext: bool, region: str = "") -> Value:
    sext = sext and size < 8
    if there.access == "direct":
        core = _core(f, there.core, n.CORE["byte_off"]) if there.core is not None and len(there.core[1]) > 1 else None
        if core is None and not region:
            return get(f, there, size, sext)
        return f.b.op("load", there.base, type=PTR[region] if region else I64, attr=Mem(size, there.off, sext, core))
    slot = f.temporary(size)
    probe(f, there, slot, size)
    return f.b.load(slot, size, sext=sext)


def probe(f: Values, there: Place, to: Value, size: int) -> None:
    """A fault-safe read of `size` bytes: zeros when the address is bad."""
    name = "probe_read_user" if there.access == "user" else "probe_read_kernel"
    f.helper(name, (to, Const(size), address(f, there)))


def _load_bits(f: Values, there: Place) -> Value:
    layout, field = there.layout, there.field
    assert isinstance(layout, IntType) and field is not None
    raw = _raw(f, there, layout.size, False)
    up = 64 - f.unit.order.lowest(field.bit, field.bits, layout.size) - field.bits
    if there.core is not None:
        left, right = (core_value(f, there.core, n.CORE[w], local) for w, local in (("lshift_u64", up), ("rshift_u64", 64 - field.bits)))
        return f.b.op("sar" if layout.signed else "shr", f.b.op("shl", raw, left), right)
    return f.b.op("sar" if layout.signed else "shr", f.b.op("shl", raw, up), 64 - field.bits)


# --- writing ---------------------------------------------------------------------------------------------------------


def store(f: Values, there: Place, value: n.Expr) -> None:
    """Put a value into the place: a number or a pointer, or a whole struct or array."""
    match value:
        case n.Seq(body=body, value=inner) if isinstance(value.kind, Agg):
            f.body(body)
            store(f, there, inner)
        case n.Record(fields=fields):
            _fill(f, there, fields)
        case n.Row(items=items):
            _row(f, there, items)
        case n.Blank():
            assert there.layout is not None
            nothing = f.hidden(Const(0))
            for at, width in pieces(there.layout.size, there):
                put(f, there._replace(off=there.off + at), nothing, width)
        case n.Filled(helper=helper, source=source):
            _filled(f, there, helper, source)
        case n.Formatted():
            _formatted(f, there, value)
        case n.IfElse() if isinstance(value.kind, Agg):
            yes, no, end = f.flow.join("then"), f.flow.join("else"), f.flow.join("end")
            f.cond(value.test, yes, no)
            for join, one in (yes, value.yes), (no, value.no):
                f.flow.enter(join)
                store(f, there, one)
                f.flow.goto(end)
            f.flow.enter(end)
        case n.Bytes(data=data):
            _constant(f, there, data)
        case _ if isinstance(there.layout, ArrayType | StructType):
            assert there.layout is not None
            source_ = place(f, value)
            assert source_.layout is not None
            size = min(source_.layout.size, there.layout.size)
            copy(f, there, source_, size)
            if size < there.layout.size:
                zero(f, there._replace(off=there.off + size), there.layout.size - size)
        case _:
            store_word(f, there, f.word(value))


def store_word(f: Values, there: Place, value: Value) -> None:
    """A number or a pointer."""
    layout = there.layout
    if there.field is not None:
        _store_bits(f, there, value)
    elif isinstance(layout, IntType):
        put(f, there, f.network(value, layout.bits) if layout.big_endian else value, layout.size)
    else:
        put(f, there, value, 8)


def put(f: Values, there: Place, raw: Value, size: int) -> None:
    """The low bytes of a number; in parts where a frame takes no unaligned access."""
    if size > 1 and there.off % size and there.base.type.row.frame:
        for i in range(size):
            part = f.b.op("shr", raw, f.unit.order.shift(i, 1, size))
            f.b.op("store", there.base, part, attr=Mem(1, there.off + i))
        return
    f.b.op("store", there.base, raw, attr=Mem(size, there.off))


def get(f: Values, there: Place, size: int, sext: bool) -> Value:
    """A number of `size` bytes; in parts where a frame takes no unaligned access."""
    if size == 1 or not there.off % size or not there.base.type.row.frame:
        return f.b.load(there.base, size, there.off, sext=sext)
    result: Value = Const(0)
    for i in range(size):
        result = f.b.op("or", result, f.b.op("shl", f.b.load(there.base, 1, there.off + i), f.unit.order.shift(i, 1, size)))
    return f.b.op(f"sext{8 * size}", result) if sext else result


def _store_bits(f: Values, there: Place, value: Value) -> None:
    layout, field = there.layout, there.field
    assert layout is not None and field is not None
    low = f.unit.order.lowest(field.bit, field.bits, layout.size)
    mask = ((1 << field.bits) - 1) << low
    old = f.b.op("and", f.b.load(there.base, layout.size, there.off), signed(~mask, 8 * layout.size))
    new = f.b.op("and", f.b.op("shl", value, low), mask)
    put(f, there, f.b.op("or", old, new), layout.size)


def pieces(size: int, *places: Place) -> list[tuple[int, int]]:
    """(offset, bytes) pieces of memory, each as wide as alignment lets it be in all of the places. Packets may be accessed
    unaligned."""
    at, out = 0, []
    while at < size:
        width = 8
        while width > size - at or not all(_may(there, at, width) for there in places):
            width //= 2
        out.append((at, width))
        at += width
    return out


def _may(there: Place, at: int, width: int) -> bool:
    """May `width` bytes at `at` be one access?"""
    region = there.base.type.row
    if width == 1 or region.name in ("packet", "packet_meta"):
        return True
    base = there.base
    if isinstance(base, Op) and isinstance(base.attr, Data):  # a section begins at a multiple of 8
        return (base.attr.off + there.off + at) % width == 0
    if (there.off + at) % width:
        return False
    if region.grain >= width or isinstance(base, Op) and isinstance(base.attr, Slot) and base.attr.align >= width:
        return True
    return there.layout is not None and there.layout.align >= width


def copy(f: Values, to: Place, source: Place, size: int) -> None:
    """`size` bytes from one place to another, also where they overlap."""
    if source.access != "direct":
        probe(f, source, address(f, to), size)
        return
    if source.core is not None and len(source.core[1]) > 1 and source.base.type.region == "ctx":
        _copy_of_record(f, to, source, size)
        return
    if source.core is not None and len(source.core[1]) > 1:
        source = Place(address(f, source), 0, source.layout)
    parts = pieces(size, to, source)
    for start in range(0, len(parts), 8):
        group = parts[start : start + 8]
        loaded = [f.b.load(source.base, width, source.off + at) for at, width in group]
        for (at, width), raw in zip(group, loaded):
            put(f, to._replace(off=to.off + at), raw, width)


def _copy_of_record(f: Values, to: Place, source: Place, size: int) -> None:
    """An array of a tracepoint's record: the context is loaded at relocated offsets only, element by element."""
    layout = source.layout
    assert isinstance(layout, ArrayType) and source.core is not None
    root, path = source.core
    for at, width in pieces(size, to, source):
        core = _core(f, (root, (*path, at // layout.elem.size)), n.CORE["byte_off"])
        raw = f.b.op("load", source.base, type=I64, attr=Mem(width, source.off + at, False, core))
        put(f, to._replace(off=to.off + at), raw, width)


def zero(f: Values, there: Place, size: int) -> None:
    for at, width in pieces(size, there):
        put(f, there._replace(off=there.off + at), Const(0), width)


def _constant(f: Values, there: Place, data: bytes) -> None:
    """Constant bytes: stored as numbers, or copied from .rodata where there are many."""
    assert there.layout is not None
    data = data[: there.layout.size].ljust(there.layout.size, b"\0")
    for at, width in pieces(len(data), there):
        put(f, there._replace(off=there.off + at), Const(f.unit.order.number(data[at : at + width])), width)


def _fill(f: Values, there: Place, fields: tuple[tuple[Field, n.Expr], ...]) -> None:
    """A struct value: numbers are evaluated first, then what is not named is zeroed, then fields are stored in order."""
    layout = there.layout
    assert isinstance(layout, StructType)
    words = {field.name: f.word(value) if len(f.rep(value)) == 1 and not _is_whole(field.type) else None for field, value in fields}
    named = {field.name for field, _ in fields}
    covered = sorted((m.offset, m.offset + m.type.size) for m in layout.fields if m.name in named and not m.bits)
    at = 0
    for start, stop in [*covered, (layout.size, layout.size)]:
        if start > at:
            zero(f, there._replace(off=there.off + at), start - at)
        at = max(at, stop)
    for field, value in fields:
        member = there._replace(off=there.off + field.offset, layout=field.type, field=field if field.bits else None)
        word = words[field.name]
        if word is not None:
            store_word(f, member, word)
        else:
            store(f, member, value)


def _is_whole_target(kind: Ptr) -> bool:
    return isinstance(kind.target, ArrayType | StructType)


def _is_whole(layout: Layout) -> bool:
    return isinstance(layout, ArrayType | StructType)


def _row(f: Values, there: Place, items: tuple[n.Expr, ...]) -> None:
    layout = there.layout
    assert isinstance(layout, ArrayType)
    whole = _is_whole(layout.elem)
    words = [None if whole else f.word(item) for item in items]
    for i, (item, word) in enumerate(zip(items, words)):
        element = there._replace(off=there.off + i * layout.elem.size, layout=layout.elem)
        if word is not None:
            store_word(f, element, word)
        else:
            store(f, element, item)
    done = len(items) * layout.elem.size
    if done < layout.size:
        zero(f, there._replace(off=there.off + done), layout.size - done)


def _filled(f: Values, there: Place, helper: str, source: n.Expr | None) -> None:
    """Text that a helper writes: what it leaves alone is zero."""
    assert there.layout is not None
    args: list[Value] = []
    if source is not None:
        args = [f.word(source)]
        zero(f, there, there.layout.size)
    where = address(f, there)
    f.helper(helper, (where, Const(there.layout.size), *args))


def _formatted(f: Values, there: Place, value: n.Formatted) -> None:
    """Text that the kernel formats: what it leaves alone is zero."""
    assert there.layout is not None
    words = [f.word(v) for v in value.values]
    size = 8 * len(words)
    block = f.temporary(size, "values")
    zero(f, there, there.layout.size)
    for i, word in enumerate(words):
        f.b.op("store", block, word, attr=Mem(8, 8 * i))
    section, off = f.unit.data.constant(value.text)
    text = f.b.op("dataaddr", type=PTR["data"], attr=Data(section, off))
    f.helper("snprintf", (address(f, there), Const(there.layout.size), text, block, Const(size)))


def atomic(f: Values, node: n.AtomicOp) -> None:
    """One instruction; without `fetch` the add is in every kernel, the others came with cpu v3's atomics (5.12)."""
    there = place(f, node.place)
    layout = there.layout
    assert layout is not None
    value = f.word(node.value)
    f.b.op("rmw", there.base, value, type=VOID, attr=Rmw(node.word, layout.size, there.off))


__all__ = ["Int", "Text", "arith"]
