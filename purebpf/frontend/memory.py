"""Memory: fields, elements, reads; and values on their way into memory.

A struct or an array that is read is the thing itself, a pointer to where it stands; text (`char[n]`) is a value, copied
where a name gets hold of it. `fitted` is the one rule for what may be stored as what.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Field, Layout, PtrType, StructType
from ..dsl.memory import encode
from ..errors import CompileError
from ..tree.convert import coerce
from ..tree.kinds import (
    I64, NONE, U64, Agg, Choice, Const, Int, Kind, Optional, Origin, Ptr, Text, Tuple, is_bytes, is_maybe, is_string, narrowed,
    number, rep,
)
from ..tree.nodes import (
    At, Bits, Bytes, Cast, CtxPlace, Deref, Element, Expr, Filled, Get, GlobalPlace, IfElse, Item, Lit, Load, MakeTuple, Member, Number,
    Record, Row, Seq, SlotPlace, Store, Temp, Undef,
)
from . import arith
from .context import Binding, Checker
from .names import near

CONSTANT_SIZE = 32  # bytes from which a constant struct is cheaper in .rodata than stored to the stack
PROBED = ("probe", "user")


# --- places ----------------------------------------------------------------------------------------------------------


def deref(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """The memory behind a pointer. An untested pointer is the language's null-pointer error."""
    if is_place(value):
        return value
    kind = value.kind
    if is_maybe(kind):
        if kind == NONE:
            raise c.error("null-pointer", "this is None here", node)
        raise arith.may_be_none(c, value, node)
    if not isinstance(kind, Ptr):
        raise c.mismatch("memory is needed here", kind, node)
    if kind.target is None:
        raise c.error("type-mismatch", "a pointer to void has nothing behind it", node, help="say what it points to: 'Ptr[T]'")
    return Deref(c.span(node), kind._replace(fresh=False), value)


def is_place(value: Expr) -> bool:
    """Does the node stand for memory, and not just for an address?"""
    while isinstance(value, Seq):
        value = value.value
    return isinstance(value, PLACES)


def base(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """What stands before a '.' or a '[': a pointer in memory is followed."""
    kind = value.kind
    return load(c, value, node) if isinstance(kind, Ptr) and isinstance(kind.target, PtrType) and is_place(value) else value


PLACES = (Deref, Member, Element, At, GlobalPlace, SlotPlace, Bytes, CtxPlace, Temp)


def _part(kind: Ptr, layout: Layout, lo: int, hi: int) -> Ptr:
    """The kind of bytes `lo`..`hi` of what `kind` points to."""
    origin = frozenset(Origin(o.root, o.lo + lo, min(o.lo + hi, o.hi)) for o in kind.origin)
    thing = not isinstance(layout, IntType | PtrType)
    return kind._replace(target=layout, null=False, fresh=False, thing=thing, origin=origin, resource=None)


def layout_for(size: int, signed: bool) -> IntType:
    """The narrowest type of at least `size` bytes."""
    width = next(w for w in (1, 2, 4, 8) if w >= size)
    found = TYPES[f"{'i' if signed else 'u'}{width * 8}"]
    return found


def constant_array(c: Checker, values: object, node: ast.AST) -> Expr | None:
    """A sequence of constant numbers (or rows of them) as a table in .rodata; None if it is something else."""
    items = list(values) if isinstance(values, list | tuple | bytes | range) else []
    if items and all(isinstance(v, int) for v in items):
        lo, hi = min(items), max(items)
        elem: Layout | None = next((t for t in map(TYPES.get, ("u8", "u16", "u32", "u64") if lo >= 0 else ("i8", "i16", "i32", "i64"))
                                    if t is not None and t.lo <= lo and hi <= t.hi), None)
    elif items and all(isinstance(v, list | tuple | bytes) and len(v) == len(items[0]) for v in items):
        flat = [n for v in items for n in v]
        inner = constant_array(c, flat, node)
        layout = inner.kind.target if inner is not None and isinstance(inner.kind, Ptr) else None
        elem = ArrayType(layout.elem, len(items[0])) if isinstance(layout, ArrayType) else None
    else:
        elem = None
    return constant(c, ArrayType(elem, len(items)), items, node) if elem is not None else None


def member(c: Checker, place: Expr, field: Field, node: ast.AST) -> Expr:
    """A field of the struct at `place`."""
    kind = place.kind
    assert isinstance(kind, Ptr)
    return Member(c.span(node), _part(kind, field.type, field.offset, field.offset + field.type.size), place, field)


def element(c: Checker, place: Expr, index: Expr, node: ast.AST) -> Expr:
    """An element of an array. A constant index is checked here; another when the program runs: outside the array it ends
    the program with its default answer, as an uncaught IndexError ends a Python program."""
    kind = place.kind
    assert isinstance(kind, Ptr)
    layout = kind.target
    if not isinstance(layout, ArrayType):
        raise c.mismatch("an array, a map or a pointer can be indexed", kind, node)
    index = c.flat(index)
    a, size = arith.kind_of(index), layout.elem.size
    flexible = layout.count == 0 and kind.access in PROBED
    if arith.is_exact(a):
        at = a.lo + layout.count if a.lo < 0 else a.lo
        if not 0 <= at < layout.count and not flexible:
            raise c.error("index", f"index {a.lo} is outside {layout.name}", node)
        part = _part(kind, layout.elem, at * size, (at + 1) * size)
        return Element(c.span(node), part, place, Number(c.span(node), at), False)
    part = _part(kind, layout.elem, 0, layout.size or 1 << 32)
    if a.lo < 0 and not flexible:
        index = from_the_end(c, index, layout.count, node)
        a = arith.kind_of(index)
    if kind.region == "packet" and c.unit.tables.packet_element is not None:
        return c.unit.tables.packet_element(c, place, index, layout, part, node)
    check = not (a.seen and 0 <= a.lo and a.hi < layout.count) and not flexible
    if check:
        c.function.aborts = True
    return Element(c.span(node), part, place, index, check)


def from_the_end(c: Checker, index: Expr, count: int, node: ast.AST) -> Expr:
    """`a[-1]` is the last element, also when -1 is known at run time only. What is far outside stays outside: seen as an
    unsigned number it is enormous."""
    from ..tree.kinds import BOOL
    from ..tree.nodes import Arith, Compare, Select

    span, a = c.span(node), arith.kind_of(index)
    index = c.hold(index, "$index")
    moved = Arith(span, Int(I64, I64.lo, I64.hi), "+", index, Number(span, count))
    negative = Compare(span, Int(BOOL, 0, 1, True), "lt", index, Number(span, 0))
    return Select(span, Int(I64, min(a.lo + count, 0), max(a.hi, count - 1)), negative, moved, index)


def indexed(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """What can be indexed, as an array: `p[i]` of a pointer to T is the T i places on."""
    place = deref(c, value, node)
    kind = place.kind
    assert isinstance(kind, Ptr)
    if isinstance(kind.target, ArrayType) or kind.target is None or kind.access not in PROBED:
        return place
    many = ArrayType(kind.target, 0)
    return Deref(c.span(node), kind._replace(target=many), value)


def no_field(c: Checker, layout: Layout | None, name: str, node: ast.AST) -> CompileError:
    """`layout` has no field `name`."""
    if isinstance(layout, StructType):
        names = [m.name for m in layout.fields]
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        return c.error("no-field", f"{layout.name} has no field {name!r}", node, help=near(name, names) or f"it has {listed}")
    what = layout.name if layout else "a pointer to void"
    number = isinstance(layout, IntType)
    return c.error("no-field", f"{what} has no field {name!r}", node,
                   help="a pointer to a number is read with '.value'" if number else "")


# --- reading ---------------------------------------------------------------------------------------------------------


def load(c: Checker, place: Expr, node: ast.AST) -> Expr:
    """What is at the place: a number, a pointer; arrays and structs are the places they stand in."""
    kind = place.kind
    if not isinstance(kind, Ptr) or not is_place(place):
        return place
    layout = kind.target
    if isinstance(layout, ArrayType | StructType):
        return place
    span = c.span(node)
    if isinstance(layout, IntType):
        bits = bit_field(place)
        if bits:
            lo = -(1 << (bits - 1)) if layout.signed else 0
            return Load(span, Int(layout, lo, (1 << (bits - layout.signed)) - 1, kind.access == "direct"), place)
        seen = kind.access == "direct" and not layout.signed and not layout.big_endian and layout.size < 8
        return Load(span, Int(layout, layout.lo, layout.hi, seen), place)
    if isinstance(layout, PtrType):
        user = layout.user or kind.access == "user" and not (isinstance(layout.target, StructType) and layout.target.core)
        return Load(span, Ptr(layout.target, "", "user" if user else "probe", writable=False), place)
    raise c.error("type-mismatch", f"{layout.name if layout else 'void'} cannot be read", node)


def bit_field(place: Expr) -> int:
    """The width of the bit-field that a place is, or 0."""
    while isinstance(place, Seq):
        place = place.value
    return place.field.bits if isinstance(place, Member) else 0


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


# --- writing ---------------------------------------------------------------------------------------------------------


def store(c: Checker, place: Expr, value: Expr, node: ast.AST) -> None:
    """Put a value into the place, as what the place holds."""
    kind = place.kind
    assert isinstance(kind, Ptr) and kind.target is not None
    writable(c, kind, node)
    c.effects.writes = True
    if bit_field(place):
        value = arith.integer(c, value, node)
        a, bits, layout = arith.kind_of(value), bit_field(place), kind.target
        assert isinstance(layout, IntType)
        if arith.is_exact(a) and not -(1 << (bits - 1)) <= a.lo < 1 << bits:
            raise c.error("constant", f"{a.lo} does not fit into {bits} bit{'s' * (bits > 1)}", node)
        c.emit(Store(c.span(node), place, value))
        return
    value = fitted(c, value, kind.target, node)
    if isinstance(kind.target, ArrayType | StructType):
        preserve(c, place, node)
    c.emit(Store(c.span(node), place, value))


def writable(c: Checker, kind: Ptr, node: ast.AST) -> None:
    if kind.access == "direct" and kind.writable:
        return
    if kind.region == "data":
        raise c.error("read-only", "a Const cannot be assigned in a program", node,
                      help="declare it as Global, or set it when loading: load(…, constants={…})")
    raise c.error("read-only", "this memory is the kernel's: a program can read it, not write it", node)


def fitted(c: Checker, value: Expr, layout: Layout, node: ast.AST) -> Expr:
    """`value` as memory of `layout` takes it, or a type error at `node`. A number comes as a number (the store cuts it),
    a struct or array as an Agg or as the place to copy it from."""
    if isinstance(layout, IntType):
        return _fit_number(c, value, layout, node)
    if isinstance(layout, PtrType):
        return _fit_pointer(c, value, layout, node)
    kind = value.kind
    if is_maybe(kind) and kind != NONE:
        raise arith.may_be_none(c, value, node)
    if isinstance(layout, StructType):
        if isinstance(kind, Agg) and kind.layout == layout:
            return value
        if isinstance(kind, Ptr) and kind.target == layout:
            return deref(c, value, node)
        if isinstance(kind, Ptr) and isinstance(kind.target, StructType) or isinstance(kind, Agg):
            other = kind.layout if isinstance(kind, Agg) else kind.target
            raise c.error("type-mismatch", f"a {layout.name} is needed here, not a {other}", node)
        if isinstance(kind, Const | Tuple):
            return _fit_items(c, value, layout, node)
    elif isinstance(layout, ArrayType):
        return _fit_array(c, value, layout, node)
    raise c.mismatch(f"a {layout.name} is needed here", kind, node)


def _fit_number(c: Checker, value: Expr, layout: IntType, node: ast.AST) -> Expr:
    if isinstance(value.kind, Const) and isinstance(value.kind.value, str | bytes) and layout.is_char and len(value.kind.value) == 1:
        value = c.lit(ord(value.kind.value))
    value = arith.integer(c, value, node)
    a = arith.kind_of(value)
    signed_lo = -(1 << (layout.bits - 1))  # -1 into a u32 is how people write all ones
    if arith.is_exact(a) and isinstance(value, Number) and not signed_lo <= a.lo < 1 << layout.bits and not layout.is_bool:
        raise c.error("constant", f"{a.lo} does not fit into {layout.name}", node,
                      help=f"{layout.name} holds {layout.lo} to {layout.hi}")
    return arith.wrap(c, value, layout, node) if layout.is_bool else value


def _fit_pointer(c: Checker, value: Expr, layout: PtrType, node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Ptr | Text):
        return Bits(value.span, Int.of(U64), value)
    if kind == NONE:
        return Number(value.span, 0)
    if isinstance(kind, Optional) and isinstance(kind.some, Ptr):
        some = Cast(value.span, kind.some, value)
        return IfElse(value.span, Int.of(U64), present(c, value), Bits(value.span, Int.of(U64), some), Number(value.span, 0, Int.of(U64)))
    return arith.integer(c, value, node)


def present(c: Checker, value: Expr) -> Expr:
    """1 where the value is not None."""
    from ..tree.kinds import BOOL
    from ..tree.nodes import IsNone, Not

    truth = Int(BOOL, 0, 1, True)
    return Not(value.span, truth, IsNone(value.span, truth, value))


def _fit_items(c: Checker, value: Expr, layout: StructType, node: ast.AST) -> Expr:
    """A tuple, or a constant made in Python, as a struct."""
    kind = value.kind
    if isinstance(kind, Const) and layout.cls is not None and isinstance(kind.value, layout.cls):
        return constant(c, layout, kind.value, node)
    raise c.mismatch(f"a {layout.name} is needed here", kind, node, f"write {layout.name}(…)")


def _fit_array(c: Checker, value: Expr, layout: ArrayType, node: ast.AST) -> Expr:
    kind, chars = value.kind, is_bytes(layout)
    if isinstance(kind, Agg) and isinstance(kind.layout, ArrayType):
        if isinstance(value, Filled):
            _too_long(c, kind.layout.size, layout, node) if not chars else None
            return Filled(value.span, Agg(layout), value.helper, value.source)
        if kind.layout == layout:
            return value
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes) and chars:
        data = kind.value.encode() if isinstance(kind.value, str) else kind.value
        _too_long(c, len(data), layout, node)
        return constant_bytes(c, data.ljust(layout.size, b"\0"), layout, node)
    if isinstance(kind, Choice) and chars:
        return _fit_choice(c, value, layout, node)
    if isinstance(kind, Text) and chars:
        name = "probe_read_user_str" if kind.user else "probe_read_kernel_str"
        return Filled(value.span, Agg(layout), name, value)
    if isinstance(kind, Ptr) and chars and kind.target is not None and is_char(kind.target) and kind.access in PROBED:
        name = "probe_read_user_str" if kind.access == "user" else "probe_read_kernel_str"
        return Filled(value.span, Agg(layout), name, value)
    if isinstance(kind, Const) and isinstance(kind.value, list | tuple):
        items = [Lit(value.span, v) for v in kind.value]
        return _fit_row(c, items, layout, node)
    if isinstance(value, MakeTuple):
        return _fit_row(c, list(value.items), layout, node)
    if isinstance(kind, Tuple):
        whole = c.hold(value, "$items")
        return _fit_row(c, [Item(value.span, k, whole, i) for i, k in enumerate(kind.items)], layout, node)
    if isinstance(kind, Ptr) and isinstance(kind.target, ArrayType):
        other = kind.target
        if other.elem == layout.elem or is_bytes(other) and chars:
            if other.size > layout.size and not is_string(layout):
                raise c.error("too-long", f"{other.name} does not fit into {layout.name}", node)
            return deref(c, value, node)
    raise c.mismatch(f"a {layout.name} is needed here", kind, node)


def is_char(layout: Layout) -> bool:
    return isinstance(layout, IntType) and layout.size == 1


def _too_long(c: Checker, size: int, layout: ArrayType, node: ast.AST) -> None:
    if size > layout.size:
        raise c.error("too-long", f"{size} bytes do not fit into {layout.name}", node)


def _fit_row(c: Checker, items: list[Expr], layout: ArrayType, node: ast.AST) -> Expr:
    if len(items) > layout.count:
        raise c.error("too-long", f"{len(items)} values do not fit into {layout.name}", node)
    return Row(c.span(node), Agg(layout), tuple(fitted(c, i, layout.elem, node) for i in items))


def _fit_choice(c: Checker, value: Expr, layout: ArrayType, node: ast.AST) -> Expr:
    """One of a few constant strings: the address of the one that it is."""
    from ..tree.kinds import BOOL
    from ..tree.nodes import Compare

    kind = value.kind
    assert isinstance(kind, Choice)
    which = c.hold(Cast(value.span, Int(I64, 0, len(kind.options) - 1), value), "$which")
    result: Expr | None = None
    for i, option in enumerate(kind.options):
        this = fitted(c, Lit(value.span, option.value), layout, node)
        if result is None:
            result = this
        else:
            test = Compare(value.span, Int(BOOL, 0, 1, True), "eq", which, Number(value.span, i))
            result = IfElse(value.span, this.kind, test, this, result)
    assert result is not None
    return result


def constant(c: Checker, layout: Layout, value: object, node: ast.AST) -> Expr:
    """A constant in .rodata: where helpers read it just as well as from the stack, without the stores."""
    try:
        return constant_bytes(c, encode(layout, value, layout.name), layout, node)
    except (ValueError, TypeError) as error:
        raise c.error("constant", f"this value does not fit: {error}", node) from None


def constant_bytes(c: Checker, data: bytes, layout: Layout, node: ast.AST) -> Expr:
    return Bytes(c.span(node), Ptr(layout, "data", writable=False), data)


def record(c: Checker, layout: StructType, values: dict[str, Expr], node: ast.AST) -> Expr:
    """A struct value of its fields; those left out have their declared default, else zero."""
    defaults = getattr(layout.cls, "__bpf_defaults__", {}) if layout.cls is not None else {}
    fields = []
    for f in layout.fields:
        if f.name in values:
            value = values[f.name]
        elif f.name in defaults:
            value = c.lit(defaults[f.name], node)
        else:
            continue
        if f.bits:
            fields.append((f, arith.integer(c, value, node)))
        else:
            fields.append((f, fitted(c, value, f.type, node)))
    return Record(c.span(node), Agg(layout), tuple(fields))


def blank(c: Checker, layout: Layout, node: ast.AST) -> Expr:
    """A value of zeros."""
    if isinstance(layout, ArrayType):
        return Row(c.span(node), Agg(layout), ())
    if isinstance(layout, StructType):
        return Record(c.span(node), Agg(layout), ())
    return Number(c.span(node), 0)


# --- values as memory for helpers ------------------------------------------------------------------------------------


def address_of(c: Checker, value: Expr, layout: Layout, node: ast.AST) -> Expr:
    """A pointer to the value as `layout`, for a helper that reads it: where it stands, if helpers take that memory."""
    value = fitted(c, value, layout, node)
    kind = value.kind
    if isinstance(kind, Ptr) and kind.target == layout and kind.access == "direct" and kind.region in HELPER_MEMORY and not _core(kind):
        return value
    if isinstance(value, Record | Row) and layout.size >= CONSTANT_SIZE:
        known = known_bytes(value, layout)
        if known is not None:
            return constant_bytes(c, known, layout, node)
    return placed(c, value, layout, node)


HELPER_MEMORY = ("stack", "value", "data", "mem", "packet", "arg")


def _core(kind: Ptr) -> bool:
    return isinstance(kind.target, StructType) and kind.target.core


def known_bytes(value: Expr, layout: Layout) -> bytes | None:
    """The bytes of a struct or array value, if all of it is known now."""
    if isinstance(value, Bytes):
        return value.data
    if isinstance(value, Number) and isinstance(layout, IntType):
        return (value.value & ((1 << layout.bits) - 1)).to_bytes(layout.size, "big" if layout.big_endian else "little")
    if isinstance(value, Row) and isinstance(layout, ArrayType):
        items = [known_bytes(i, layout.elem) for i in value.items]
        return None if None in items else b"".join(i for i in items if i is not None).ljust(layout.size, b"\0")
    if isinstance(value, Record) and isinstance(layout, StructType):
        image = bytearray(layout.size)
        for f, item in value.fields:
            known = known_bytes(item, f.type) if not f.bits else None
            if known is None:
                return None
            image[f.offset : f.offset + len(known)] = known
        return bytes(image)
    return None


def global_place(c: Checker, variable: object, name: str, node: ast.AST) -> Expr:
    """Where a global variable is."""
    from ..dsl.globals import Variable

    assert isinstance(variable, Variable)
    name = c.unit.variable_name(variable, name)
    if variable.init is not None:
        try:
            encode(variable.layout, variable.init, name)
        except (ValueError, TypeError) as error:
            raise c.error("constant", f"the initial value does not fit: {error}", node) from None
    kind = Ptr(variable.layout, "data", writable=not variable.read_only, thing=True,
               origin=frozenset((Origin(variable, 0, variable.layout.size),)))
    return GlobalPlace(c.span(node), kind, variable, name)


__all__ = ["Get", "Undef", "narrowed", "number", "rep", "coerce"]
