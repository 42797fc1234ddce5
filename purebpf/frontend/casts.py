"""Types called: `Event(pid=1)`, `u32(x)`, `char[16](p)`, `Ptr[T](x)`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..tree.kinds import Const, Int, Optional, Ptr, Text, number
from ..tree.nodes import Bits, Cast, Expr, Temp
from . import arith, fitting, keeping
from .context import Checker
from .names import near


def struct(c: Checker, layout: StructType, args: list[Expr], named: Mapping[str, Expr], node: ast.Call) -> Expr:
    """`Event(pid=1, …)`: a struct value; a kernel type called with a pointer is that pointer as one to the type."""
    if layout.core and len(args) == 1 and not named:
        return pointer_cast(c, PtrType(layout), args[0], node)
    names = [m.name for m in layout.fields]
    if len(args) > len(names):
        raise c.error("arguments", f"{layout.name} has {len(names)} fields, {len(args)} values given", node)
    values = dict(zip(names, args))
    for name, value in named.items():
        if name not in names:
            raise c.error("no-field", f"{layout.name} has no field {name!r}", node, help=near(name, names) or f"it has {', '.join(names)}")
        if name in values:
            raise c.error("arguments", f"{name!r} is given twice", node)
        values[name] = value
    if layout.union and len(values) > 1:
        raise c.error("arguments", f"{layout.name} is a union: it holds one of its members at a time", node, help="give one")
    return fitting.record(c, layout, values, node)


def cast(c: Checker, layout: Layout, args: list[Expr], node: ast.Call) -> Expr:
    """A value as a number, a pointer or an array of this type; without one, zeros."""
    fewest = isinstance(layout, PtrType)
    if not fewest <= len(args) <= 1:
        raise c.error("arguments", f"{layout.name}() takes {'1 argument' if fewest else '0 to 1 arguments'}, {len(args)} given", node)
    match layout:
        case IntType():
            return _number_cast(c, layout, args[0] if args else c.lit(0, node), node)
        case PtrType():
            return pointer_cast(c, layout, args[0], node)
        case ArrayType():
            value = fitting.fitted(c, args[0], layout, node) if args else fitting.blank(c, layout, node)
            return keeping.placed(c, value, layout, node) if not isinstance(value, Temp) else value
    raise c.error("type-mismatch", f"{layout.name} cannot be called", node)


def _number_cast(c: Checker, layout: IntType, value: Expr, node: ast.Call) -> Expr:
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, int):
        return c.lit(layout(kind.value), node, c.happened(value))
    if isinstance(kind, Ptr | Text):
        if isinstance(kind, Ptr) and isinstance(kind.target, IntType) and kind.region == "value":
            arith.integer(c, value, node.args[0])
        if layout.size < 8:
            text = layout.is_char or isinstance(kind, Text)
            raise c.error("type-mismatch", f"a pointer is 64 bits, {layout.name} has {layout.bits}", node,
                          help="read the text there: 'char[64](p)'" if text else "write 'u64(p)'")
        return Bits(c.span(node), Int.of(layout), value)
    if isinstance(kind, Optional) and number(kind.some) is not None or isinstance(kind, Optional):
        raise arith.may_be_none(c, value, node.args[0])
    return arith.wrap(c, arith.integer(c, value, node), layout, node)


def pointer_cast(c: Checker, layout: PtrType, value: Expr, node: ast.AST) -> Expr:
    """`Ptr[T](x)`: a number as a kernel address, read fault-safely; or another view of the same memory."""
    c.unit.claims.reach(c, layout, node)
    kind = value.kind
    if isinstance(kind, Ptr):
        target = layout.target
        if kind.access == "direct" and kind.target is not None and target is not None and kind.region not in ("kernel", "packet", "packet_meta", "value") \
                and target.size > kind.target.size and not (isinstance(target, StructType) and target.core):
            raise c.error("type-mismatch", f"{target.name} is larger than the {kind.target.name} that is there", node)
        return Cast(value.span, kind._replace(target=target, fresh=False, thing=False), value)
    if isinstance(kind, Text):
        return Bits(value.span, Ptr(layout.target, "", "user" if kind.user else "probe", writable=False), value)
    if isinstance(kind, Optional):
        raise arith.may_be_none(c, value, node)
    address = arith.integer(c, value, node)
    return Bits(value.span, Ptr(layout.target, "", "user" if layout.user else "probe", writable=False), address)
