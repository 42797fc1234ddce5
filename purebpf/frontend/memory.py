"""Memory: fields, elements, reads.

A struct or an array that is read is the thing itself, a pointer to where it stands; text (`char[n]`) is a value, copied
where a name gets hold of it (`keeping`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Field, KptrType, Layout, PtrType, StructType
from ..dsl.memory import encode
from ..errors import CompileError
from ..tree.kinds import BOOL, I64, Int, NONE, Origin, Ptr, is_maybe
from ..tree.nodes import (
    Arith, At, Bytes, Compare, CtxPlace, Deref, Element, Expr, GlobalPlace, IsNone, Load, Member, Not, Number, Select,
    Seq, SlotPlace, Temp,
)
from . import arith, keeping, trust
from .context import Checker
from .ktypes import LazyStruct
from .names import near


PROBED = ("probe", "user")
RAW_INDEX = "with 'pkt = ctx.packet', 'pkt[i]' is a byte; of a pointer, compared with ctx.data_end, read '(p + i).value'"
RAW = "raw"  # `why` of pointers that are ctx.data, or come of it


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
    if kind.why == RAW and not c.unit.bounded:
        c.unit.unbounded.append(c.error(
            "packet-bounds", "the packet is read here, and its length has not been tested", node,
            help="take it piece by piece ('eth = ctx.packet.pull(Ethernet)' is None where there is too little), or compare "
            "first: 'if p + 14 > ctx.data_end: return …'"))
    if kind.target is None:
        raise c.error("type-mismatch", "a pointer to void has nothing behind it", node, help="say what it points to: 'Ptr[T]'")
    return Deref(c.span(node), kind._replace(fresh=False), value)


def is_place(value: Expr) -> bool:
    """Does the node stand for memory, and not just for an address?"""
    while isinstance(value, Seq):
        value = value.value
    return isinstance(value, PLACES)


def is_address(value: Expr) -> bool:
    """Is it a pointer read from somewhere, which only fault-safe reads follow? It may be NULL without harm, or be asked."""
    kind = value.kind
    return isinstance(kind, Ptr) and (not kind.region or kind.region == "kernel" and kind.resource is None) and not is_place(value)


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


def member(c: Checker, place: Expr, field: Field, node: ast.AST) -> Expr:
    """A field of the struct at `place`."""
    kind = place.kind
    assert isinstance(kind, Ptr)
    if isinstance(kind.target, LazyStruct):
        kind.target.use(field)
    elif not isinstance(place, Member | Element):  # those are part of a struct that has been reached
        c.unit.claims.reach(c, kind.target, node)
    return Member(c.span(node), _part(kind, field.type, field.offset, field.offset + field.type.size), place, field)


def members(c: Checker, place: Expr, path: Iterable[Field], node: ast.AST) -> Expr:
    """A field inside fields, as `StructType.path` gives it."""
    for field in path:
        place = member(c, place, field, node)
    return place


def element(c: Checker, place: Expr, index: Expr, node: ast.AST) -> Expr:
    """An element of an array. A constant index is checked here; another when the program runs: outside the array it ends
    the program with its default answer, as an uncaught IndexError ends a Python program."""
    kind = place.kind
    assert isinstance(kind, Ptr)
    layout = kind.target
    if not isinstance(layout, ArrayType):
        raise c.mismatch("an array, a map or a kernel pointer can be indexed", kind, node, RAW_INDEX if kind.why == RAW else "")
    index = c.flat(index)
    a, size = arith.kind_of(index), layout.elem.size
    flexible = layout.count == 0 and kind.access in PROBED
    known = arith.known(c, index)
    if known is not None:
        at = known + layout.count if known < 0 else known
        if not 0 <= at < layout.count and not flexible:
            raise c.error("index", f"index {known} is outside {layout.name}", node)
        part = _part(kind, layout.elem, at * size, (at + 1) * size)
        return Element(c.span(node), part, place, Number(c.span(node), at), False)
    if kind.region == "ctx":
        return element(c, keeping.placed(c, place, layout, node), index, node)
    part = _part(kind, layout.elem, 0, layout.size or 1 << 32)
    if a.lo < 0 and not flexible:
        index = from_the_end(c, index, layout.count, node)
        a = arith.kind_of(index)
    if kind.region == "packet":
        return c.unit.tables.packet_element(c, place, index, layout, part, node)
    check = not (a.seen and 0 <= a.lo and a.hi < layout.count) and not flexible
    if check:
        c.function.aborts = True
    return Element(c.span(node), part, place, index, check)


def from_the_end(c: Checker, index: Expr, count: int, node: ast.AST) -> Expr:
    """`a[-1]` is the last element, also when -1 is known at run time only. What is far outside stays outside: seen as an
    unsigned number it is enormous."""
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
        names = layout.names()
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        return c.error("no-field", f"{layout.name} has no field {name!r}", node, help=near(name, names) or f"it has {listed}")
    what = layout.name if layout else "a pointer to void"
    number = isinstance(layout, IntType)
    return c.error("no-field", f"{what} has no field {name!r}", node,
                   help="a pointer to a number is read with '.value'" if number else "" if layout else "say what it points to: 'Ptr[T](p)'")


def load(c: Checker, place: Expr, node: ast.AST) -> Expr:
    """What is at the place: a number, a pointer; arrays and structs are the places they stand in. Those of the context are copied: the
    verifier takes it at constant offsets only."""
    kind = place.kind
    if not isinstance(kind, Ptr) or not is_place(place):
        return place
    layout = kind.target
    if isinstance(layout, ArrayType) and kind.region == "ctx":
        return keeping.placed(c, place, layout, node)
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
        return Load(span, _followed(c, place, kind, c.unit.resolved(c, layout, node)), place)
    raise c.error("type-mismatch", f"{layout.name if layout else 'void'} cannot be read", node)


def _followed(c: Checker, place: Expr, kind: Ptr, layout: Layout) -> Ptr:
    """What a pointer that stands in memory of `kind` leads to: from a kernel object that the verifier knows to the next one,
    else to what only fault-safe reads reach."""
    assert isinstance(layout, PtrType)
    if isinstance(layout, KptrType):
        why, known = "nothing is kept there", "rcu" if trust.protected(c) else ""
        return Ptr(layout.target, "kernel", null=True, writable=False, why=why, trust=known)
    core = isinstance(layout.target, StructType) and layout.target.core
    if core and kind.region == "kernel" and kind.access == "direct" and not layout.user and layout.tag != "percpu":
        return Ptr(layout.target, "kernel", writable=False, trust=trust.followed(c, place, layout))
    user = layout.user or kind.access == "user" and not core
    return Ptr(layout.target, "", "user" if user else "probe", writable=False)


def bit_field(place: Expr) -> int:
    """The width of the bit-field that a place is, or 0."""
    while isinstance(place, Seq):
        place = place.value
    return place.field.bits if isinstance(place, Member) else 0


def present(c: Checker, value: Expr) -> Expr:
    """1 where the value is not None."""
    truth = Int(BOOL, 0, 1, True)
    return Not(value.span, truth, IsNone(value.span, truth, value))


def global_place(c: Checker, variable: object, name: str, node: ast.AST) -> Expr:
    """Where a global variable is."""
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
