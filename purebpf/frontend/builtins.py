"""Python's own functions: what they mean in a program."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl.layout import ArrayType
from ..order import NETWORK, ORDERS
from ..tree.kinds import Agg, Const, Context, Cursor, I64, Int, Ptr, Tuple, U64, U8, is_bytes, is_maybe, is_string, narrowed
from ..tree.nodes import Arith, At, Expr, Lit, MakeTuple, Number
from . import arith, compare, fitting, instead, keeping, library, memory, packet, strings, truths
from .context import Checker, has_effects

LARGEST = 1 << 16  # items of a constant made while compiling


Check = Callable[[Checker, "list[Expr]", ast.Call], Expr]


def length(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    kind = args[0].kind
    match kind:
        case Const(v) if hasattr(v, "__len__") and not c.unit.is_map(v):
            return c.lit(len(v), node)
        case Ptr(target=ArrayType() as layout, null=False):
            if is_string(layout):
                return strings.length(c, args[0], node)
            return arith.after(c, args[0], c.lit(layout.count, node))
        case Agg(layout=ArrayType()):
            return strings.length(c, args[0], node)
        case Tuple(items=items):
            return arith.after(c, args[0], c.lit(len(items), node))
        case Cursor():
            return packet.left(c, kind, node)
    if is_maybe(kind):
        raise arith.may_be_none(c, args[0], node.args[0])
    help = "'len(ctx.packet)' is the packet's length" if isinstance(kind, Context) else \
        "how many entries a map has, user space can count" if isinstance(kind, Const) and c.unit.is_map(kind.value) else ""
    raise c.mismatch("len() takes an array, a constant or the packet", kind, node, help)


def _items(c: Checker, args: list[Expr], node: ast.AST) -> list[Expr]:
    """The values a function of many takes: its arguments, or the items of its only one."""
    if len(args) != 1:
        return args
    kind = args[0].kind
    if isinstance(kind, Const) and isinstance(kind.value, tuple | list | range | bytes | set | frozenset):
        if len(kind.value) > LARGEST:
            raise c.error("constant", "this is enormous", node)
        c.drop(args[0])
        return [Lit(args[0].span, v) for v in kind.value]
    if isinstance(kind, Ptr) and isinstance(kind.target, ArrayType) and not kind.null and kind.target.count <= 64:
        array = memory.deref(c, c.hold(args[0], "$array"), node)
        return [memory.load(c, memory.element(c, array, Number(c.span(node), i), node), node) for i in range(kind.target.count)]
    return compare.items_of(c, args[0]) or args


def extreme(name: str, word: str) -> Check:
    def build(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
        items = _items(c, args, node)
        if not items:
            raise c.error("arguments", f"{name}() needs something to choose from", node)
        if all(isinstance(i.kind, Const) for i in items):
            try:
                items = [c.happened(i) for i in items]
                return c.lit((min if word == "lt" else max)(i.kind.value for i in items), node, *items)  # type: ignore[union-attr]
            except TypeError as error:
                raise c.error("constant", f"this constant cannot be computed: {error}", node) from None
        best = arith.integer(c, items[0], node)
        for item in items[1:]:
            best = arith.better(c, word, best, arith.integer(c, item, node), node)
        return best

    return build


def absolute(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return arith.absolute(c, arith.integer(c, args[0], node), node)


def integer(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    if not args:
        return c.lit(0, node)
    kind, base = args[0].kind, args[1] if len(args) > 1 else None
    if isinstance(kind, Const) and isinstance(kind.value, str | bytes) and (base is None or isinstance(base.kind, Const)):
        return constant_only(int)(c, args, node)
    if is_maybe(kind) and strings.is_text(narrowed(kind)):
        raise arith.may_be_none(c, args[0], node.args[0])
    if strings.is_text(kind):
        return library.to_number(c, args[0], base, node)
    if base is not None:
        raise c.mismatch("int() takes a base with text", kind, node.args[0])
    value = arith.integer(c, args[0], node)
    kind = arith.kind_of(value)
    return c.lit(kind.lo, node) if arith.is_exact(kind) and not has_effects(args[0]) else value


def boolean(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return truths.boolean(c, truths.truth(c, args[0], node.args[0]), node) if args else c.lit(False, node)


def power(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    result = arith.binary(c, "**", arith.integer(c, args[0], node), arith.integer(c, args[1], node), node)
    if len(args) == 3:
        return arith.binary(c, "%", arith.integer(c, result, node), arith.integer(c, args[2], node), node)
    return result


def total(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    result: Expr = args[1] if len(args) > 1 else c.lit(0, node)
    for item in _items(c, args[:1], node):
        result = arith.binary(c, "+", arith.integer(c, result, node), arith.integer(c, item, node), node)
    return result


def any_of(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return truths.boolean(c, truths.any_of(c, _items(c, args, node), lambda i: truths.truth(c, i, node), node), node)


def all_of(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return truths.boolean(c, truths.all_of(c, [truths.truth(c, i, node) for i in _items(c, args, node)], node), node)


def quotient_and_rest(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    a, b = (c.hold(arith.integer(c, v, node), "$operand") for v in args)
    parts = tuple(arith.binary(c, word, a, b, node) for word in ("//", "%"))
    return MakeTuple(c.span(node), Tuple(tuple(p.kind for p in parts)), parts)


def to_bytes(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`bytes(x)`: the bytes of it, as of now."""
    value = args[0]
    kind = value.kind
    c.happened(value)
    if isinstance(kind, Const) and isinstance(kind.value, bytes | list | tuple):
        return c.lit(bytes(kind.value), node)
    if isinstance(kind, Const) and isinstance(kind.value, int):
        return keeping.placed(c, fitting.blank(c, ArrayType(U8, kind.value), node), ArrayType(U8, kind.value), node)
    items = compare.items_of(c, value) if isinstance(kind, Tuple) else None
    if items is not None:
        layout = ArrayType(U8, len(items))
        return keeping.placed(c, fitting._fit_row(c, items, layout, node), layout, node)
    if isinstance(kind, Agg):
        value = keeping.placed(c, value, kind.layout, node)
        kind = value.kind
    if isinstance(kind, Ptr) and kind.target is not None:
        place = memory.deref(c, value, node.args[0])
        assert isinstance(place.kind, Ptr) and place.kind.target is not None
        layout = ArrayType(U8, place.kind.target.size)
        seen = At(c.span(node), place.kind._replace(target=layout, fresh=False, thing=False), place, Number(c.span(node), 0))
        if place.kind.fresh:
            return seen
        return keeping.placed(c, seen, layout, node)
    raise c.mismatch("bytes() takes a struct or an array", kind, node)


def constant_only(function: Any) -> Check:
    """A builtin that makes a constant of constants."""

    def build(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
        args = [c.happened(a) for a in args]
        values = [a.kind.value for a in args if isinstance(a.kind, Const)]
        if len(values) < len(args):
            c.unsupported(f"{function.__name__}() of what is only known at run time", node, instead.of_builtin(function))
        try:
            if any(isinstance(v, range) and len(v) > LARGEST for v in values):
                raise ValueError("the result is enormous")
            return c.lit(function(*values), node, *args)
        except (TypeError, ValueError, OverflowError) as error:
            raise c.error("constant", f"this constant cannot be computed: {error}", node) from None

    return build


def to_tuple(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    kind = c.happened(args[0]).kind if args else Const(())
    if isinstance(kind, Tuple):
        return args[0]
    if isinstance(kind, Const):
        return c.lit(tuple(kind.value), node)
    items = tuple(_items(c, args, node))
    return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), items)


def character(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return constant_only(chr)(c, args, node)


def code_point(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    return arith.integer(c, args[0], node) if isinstance(args[0].kind, Int) else constant_only(ord)(c, args, node)


def from_bytes(c: Checker, args: list[Expr], node: ast.Call) -> Expr:
    """`int.from_bytes(memory, "big")`: up to 8 bytes as one number."""
    value, signed = args[0], args[2].kind == Const(True)
    order = ORDERS.get(args[1].kind.value) if isinstance(args[1].kind, Const) else None
    if order is None:
        raise c.error("arguments", "int.from_bytes() takes bytes and 'big' or 'little'", node)
    if isinstance(value.kind, Const):
        c.drop(value)
        return c.lit(order.number(value.kind.value, signed=signed), node)
    place = memory.deref(c, c.hold(value, "$bytes"), node)
    layout = place.kind.target if isinstance(place.kind, Ptr) else None
    if not is_bytes(layout) or layout is None or not 0 < layout.size <= 8:
        raise c.mismatch("int.from_bytes() takes an array of at most 8 bytes", place.kind, node)
    result: Expr = c.lit(0, node)
    for i in range(layout.size) if order is NETWORK else reversed(range(layout.size)):
        byte = arith.integer(c, memory.load(c, memory.element(c, place, Number(c.span(node), i), node), node), node)
        shifted = arith.binary(c, "<<", arith.integer(c, result, node), Number(c.span(node), 8), node)
        result = arith.binary(c, "|", arith.integer(c, shifted, node), byte, node)
    return arith.wrap(c, arith.integer(c, result, node), fitting.layout_for(layout.size, signed), node)


def bit_count(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """The ones of the magnitude, summed in parallel (Warren, Hacker's Delight, 5-1)."""
    value = arith.absolute(c, value, node)
    if isinstance(value, Lit):
        return c.lit(value.kind.value.bit_count(), node)  # type: ignore[union-attr]  # a Lit's kind is a Const
    span, word = c.span(node), Int.of(U64)

    def op(name: str, a: Expr, b: Expr | int) -> Expr:
        return Arith(span, word, name, a, Number(span, b) if isinstance(b, int) else b)

    x = c.hold(value, "$x")
    x = c.hold(op("-", x, op("&", op(">>", x, 1), 0x5555555555555555)), "$x")
    x = c.hold(op("+", op("&", x, 0x3333333333333333), op("&", op(">>", x, 2), 0x3333333333333333)), "$x")
    x = op("&", op("+", x, op(">>", x, 4)), 0x0F0F0F0F0F0F0F0F)
    return Arith(span, Int(I64, 0, 64), ">>", op("*", x, 0x0101010101010101), Number(span, 56))


def bit_length(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`n.bit_length()`."""
    return arith.bit_length(c, value, node)
