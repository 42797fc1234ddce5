"""Values on their way into memory: `fitted` is the one rule for what may be stored as what."""

from __future__ import annotations

import ast

from ..dsl.ints import IntType, TYPES
from ..dsl.layout import ArrayType, KptrType, Layout, PtrType, StructType
from ..dsl.memory import encode
from ..errors import Span
from ..order import NETWORK, Order
from ..tree.kinds import (
    Agg, BOOL, Choice, Const, I64, Int, NONE, Optional, Ptr, Text, Tuple, U64, an, is_bytes, is_maybe, is_string,
)
from ..tree.nodes import (
    Bits, Bytes, Cast, Compare, Expr, Filled, Formatted, IfElse, Item, Lit, MakeTuple, Number, Record, Row, Store,
)
from . import arith, instead
from .context import Checker
from .keeping import placed, preserve
from .memory import PROBED, bit_field, deref, present


CONSTANT_SIZE = 32  # bytes from which a constant struct is cheaper in .rodata than stored to the stack


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


def store(c: Checker, place: Expr, value: Expr, node: ast.AST) -> None:
    """Put a value into the place, as what the place holds."""
    kind = place.kind
    assert isinstance(kind, Ptr) and kind.target is not None
    writable(c, kind, node)
    if isinstance(kind.target, KptrType):
        raise c.error("read-only", "an object that an entry owns is not assigned, but changed for another", node, help="old = entry.field.swap(new)")
    c.effects.writes = True
    if bit_field(place):
        assert isinstance(kind.target, IntType)
        c.emit(Store(c.span(node), place, number_for(c, value, kind.target, node, bit_field(place))))
        return
    value = fitted(c, value, kind.target, node)
    if isinstance(value, Formatted) and kind.region not in WRITTEN:
        value = placed(c, value, kind.target, node)
    if isinstance(kind.target, ArrayType | StructType):
        preserve(c, place, node)
    c.emit(Store(c.span(node), place, value))


def writable(c: Checker, kind: Ptr, node: ast.AST) -> None:
    if kind.access == "direct" and kind.writable:
        return
    if kind.region == "data":
        raise c.error("read-only", "a Const cannot be assigned in a program", node,
                      help="declare it as Global, or set it when loading: load(…, constants={…})")
    if kind.region == "value":
        raise c.error("read-only", "this map is declared 'readonly': programs cannot write it", node)
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
        raise arith.may_be_none(c, value)
    if isinstance(kind, Agg):
        value = c.flat(value)
    if isinstance(layout, StructType):
        if isinstance(kind, Agg) and kind.layout == layout:
            return value
        if isinstance(kind, Ptr) and kind.target == layout:
            return deref(c, value, node)
        if isinstance(kind, Ptr) and isinstance(kind.target, StructType) or isinstance(kind, Agg):
            other = kind.layout if isinstance(kind, Agg) else kind.target
            raise c.error("type-mismatch", f"{an(layout.name)} is needed here, not {an(str(other))}", value.span)
        if isinstance(kind, Const | Tuple):
            return _fit_items(c, value, layout, node)
    elif isinstance(layout, ArrayType):
        return _fit_array(c, value, layout, node)
    raise c.mismatch(f"{an(layout.name)} is needed here", kind, value.span)


def _fit_number(c: Checker, value: Expr, layout: IntType, node: ast.AST) -> Expr:
    value = number_for(c, value, layout, node)
    return arith.wrap(c, value, layout, node) if layout.is_bool else value


def number_for(c: Checker, value: Expr, layout: IntType, node: ast.AST, bits: int = 0) -> Expr:
    """`value` as a number on its way into memory, a declared variable or a bit-field of that type. A constant that is
    written there has to fit; one that a variable happens to be wraps."""
    if isinstance(value.kind, Const) and isinstance(value.kind.value, str | bytes) and layout.is_char and len(value.kind.value) == 1:
        c.drop(value)
        value = Lit(value.span, ord(value.kind.value))
    written = isinstance(value, Lit) and value.written
    value = arith.integer(c, value, node)
    a = arith.kind_of(value)
    if not written or not arith.is_exact(a) or layout.is_bool:
        return value
    count = bits or layout.bits
    lo, hi = (-(1 << (count - 1)), (1 << (count - 1)) - 1) if layout.signed else (0, (1 << count) - 1)
    if lo <= a.lo <= hi:
        return value
    what = f"{bits} bit{'s' * (bits > 1)}" if bits else layout.name
    wrapped = "" if bits else f"; '{what}({a.lo})' is {layout(a.lo)}"
    raise c.error("constant", f"{a.lo} does not fit into {what}", value.span,
                  help=f"{what} hold{'' if bits > 1 else 's'} {lo} to {hi}{wrapped}")


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


def _fit_items(c: Checker, value: Expr, layout: StructType, node: ast.AST) -> Expr:
    """A tuple, or a constant made in Python, as a struct."""
    value = c.happened(value)
    kind = value.kind
    if isinstance(kind, Const) and layout.cls is not None and isinstance(kind.value, layout.cls):
        return constant(c, layout, kind.value, node)
    raise c.mismatch(f"{an(layout.name)} is needed here", kind, value.span, f"write {layout.name}(…)")


def _fit_array(c: Checker, value: Expr, layout: ArrayType, node: ast.AST) -> Expr:
    value = c.happened(value)
    kind, chars = value.kind, is_bytes(layout)
    if isinstance(kind, Agg) and isinstance(kind.layout, ArrayType):
        if isinstance(value, Filled):
            _too_long(c, kind.layout.size, layout, value.span) if not chars else None
            return Filled(value.span, Agg(layout), value.helper, value.source)
        if isinstance(value, Formatted) and chars:
            return Formatted(value.span, Agg(layout), value.text, value.values, value.most)
        if kind.layout == layout:
            return value
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes) and chars:
        data = kind.value.encode() if isinstance(kind.value, str) else kind.value
        _too_long(c, len(data), layout, value.span)
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
        items: list[Expr] = [Lit(value.span, v) for v in kind.value]
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
                raise c.error("too-long", f"{other.name} does not fit into {layout.name}", value.span,
                              help=f"take part of it: '[:{layout.count}]'")
            return deref(c, value, node)
    raise c.mismatch(f"{an(layout.name)} is needed here", kind, value.span)


def is_char(layout: Layout) -> bool:
    return isinstance(layout, IntType) and layout.size == 1


def _too_long(c: Checker, size: int, layout: ArrayType, at: Span) -> None:
    if size > layout.size:
        raise c.error("too-long", f"{size} bytes do not fit into {layout.name}", at,
                      help=instead.of_text(c.frame.source.text_at(at)[1:-1]))


def _fit_row(c: Checker, items: list[Expr], layout: ArrayType, node: ast.AST) -> Expr:
    if len(items) > layout.count:
        raise c.error("too-long", f"{len(items)} values do not fit into {layout.name}", node)
    return Row(c.span(node), Agg(layout), tuple(fitted(c, i, layout.elem, node) for i in items))


def _fit_choice(c: Checker, value: Expr, layout: ArrayType, node: ast.AST) -> Expr:
    """One of a few constant strings: the address of the one that it is."""
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
        return constant_bytes(c, encode(layout, value, layout.name, c.unit.target.order), layout, node)
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
            assert isinstance(f.type, IntType)
            fields.append((f, number_for(c, value, f.type, node, f.bits)))
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


def address_of(c: Checker, value: Expr, layout: Layout, node: ast.AST) -> Expr:
    """A pointer to the value as `layout`, for a helper that reads it: where it stands, if helpers take that memory."""
    value = fitted(c, value, layout, node)
    kind = value.kind
    if isinstance(kind, Ptr) and kind.target == layout and kind.access == "direct" and kind.region in HELPER_MEMORY and not _core(kind):
        return value
    if isinstance(value, Record | Row) and layout.size >= CONSTANT_SIZE:
        known = known_bytes(value, layout, c.unit.target.order)
        if known is not None:
            return constant_bytes(c, known, layout, node)
    return placed(c, value, layout, node)


WRITTEN = ("stack", "value", "data", "mem")  # memory that helpers write to
HELPER_MEMORY = ("stack", "value", "data", "mem", "packet", "arg")


def _core(kind: Ptr) -> bool:
    return isinstance(kind.target, StructType) and kind.target.core


def known_bytes(value: Expr, layout: Layout, order: Order) -> bytes | None:
    """The bytes of a struct or array value on the target, if all of it is known now."""
    if isinstance(value, Bytes):
        return value.data
    if isinstance(value, Number) and isinstance(layout, IntType):
        return (NETWORK if layout.big_endian else order).bytes(value.value, layout.size)
    if isinstance(value, Row) and isinstance(layout, ArrayType):
        items = [known_bytes(i, layout.elem, order) for i in value.items]
        return None if None in items else b"".join(i for i in items if i is not None).ljust(layout.size, b"\0")
    if isinstance(value, Record) and isinstance(layout, StructType):
        image = bytearray(layout.size)
        for f, item in value.fields:
            known = known_bytes(item, f.type, order) if not f.bits else None
            if known is None:
                return None
            image[f.offset : f.offset + len(known)] = known
        return bytes(image)
    return None
