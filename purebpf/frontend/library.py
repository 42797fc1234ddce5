"""Uses of `routines`: what is done by a loop of the language itself, in the place where it is needed.

To the user a routine is one operation: all of its code has the place of the use.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..dsl.layout import ArrayType
from ..errors import Span
from ..tree.kinds import CHAR, I64, U8, Agg, Const, Cursor, Int, Optional, Ptr, is_string
from ..tree.nodes import At, Blank, Both, Compare, Expr, Maybe, Number, Select, SlotPlace, Store, Undef, Vague
from . import arith, functions, memory, packet, routines, strings
from .context import Checker, Closure
from .source import Source


class Routine(Source):
    """A routine's source; everything in it stands where it is used."""

    __slots__ = ("place",)

    def __init__(self, source: Source, place: Span) -> None:
        super().__init__(source.function, source.node, source.text, source.name)
        self.place = place

    def span(self, node: ast.AST) -> Span:
        return self.place


def run(c: Checker, routine: Callable[..., Any], args: list[Expr], node: ast.AST) -> Expr:
    """A routine, here."""
    assert isinstance(routine, FunctionType)
    source = Routine(c.unit.sources.of(routine), c.span(node))
    names = [a.arg for a in source.node.args.args]
    return functions.inline(c, Closure(source, None, {}), dict(zip(names, args)), node)


def raw(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """Text or bytes as the array of bytes that it is."""
    place = memory.deref(c, c.hold(strings.direct(c, value, strings.SEARCHED, node), "$text"), node)
    kind = place.kind
    assert isinstance(kind, Ptr) and kind.target is not None
    view = kind._replace(target=ArrayType(U8, kind.target.size), fresh=False, thing=True)
    return At(c.span(node), view, place, Number(c.span(node), 0))


def _bounds(c: Checker, value: Expr, text: Expr, args: list[Expr], node: ast.AST) -> tuple[Expr, Expr]:
    """Where a search begins and ends, as numbers within the text."""
    count = strings._layout(text).size
    start = clamped(c, value, count, arith.integer(c, args[0], node), node) if args else Number(c.span(node), 0)
    stop = clamped(c, value, count, arith.integer(c, args[1], node), node) if len(args) > 1 else Number(c.span(node), count)
    return start, stop


def clamped(c: Checker, text: Expr, count: int, bound: Expr, node: ast.AST) -> Expr:
    """A bound of a slice or a search, as Python takes it: from the end where it is negative, and never outside."""
    a, span = arith.kind_of(bound), c.span(node)
    if a.lo < 0:
        layout = text.kind.target if isinstance(text.kind, Ptr) else None
        bound = c.hold(bound, "$bound")
        size: Expr = Number(span, count)
        if is_string(layout):
            size = c.hold(Vague(span, Int(I64, 0, count, 1), strings.length(c, text, node)), "$size")
        there = arith.integer(c, arith.better(c, "gt", Number(span, 0), arith.integer(c, arith.binary(c, "+", bound, size, node), node), node), node)
        if a.hi < 0:
            bound = there
        else:
            kind = Int(I64, 0, max(a.hi, arith.kind_of(there).hi))
            bound = Select(span, kind, Compare(span, strings.TRUTH, "lt", bound, Number(span, 0)), there, bound)
    return arith.integer(c, arith.better(c, "lt", bound, Number(span, count), node), node)


def _finder(name: str, byte: Callable[..., Any], piece: Callable[..., Any], text_: Callable[..., Any] | None) -> Callable[..., Expr]:
    def find(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
        text = raw(c, value, node)
        start, stop = _bounds(c, value, text, args[1:], node)
        data = strings.data_of(args[0].kind)
        if data is not None and len(data) > 1:
            return run(c, piece, [text, c.lit(data, node), start, stop], node)
        if data == b"":
            raise c.error("constant", f"{name}() of nothing", node, help="look for at least one character")
        if data is None and strings.is_text(args[0].kind):
            if text_ is None:
                c.unsupported(f"{name}() of text that is only known at run time", node, "look for a constant")
            return run(c, text_, [text, raw(c, args[0], node), start, stop], node)
        wanted = Number(c.span(node), data[0]) if data is not None else arith.integer(c, args[0], node)
        return run(c, byte, [text, wanted, start, stop], node)

    return find


def contains(c: Checker, text: Expr, item: Expr, node: ast.AST) -> Expr:
    """`item in text`: a constant piece, or a byte."""
    text, item = c.happened(text), c.happened(item)
    data = strings.data_of(item.kind)
    if isinstance(text.kind, Const):
        whole = text.kind.value
        if data is not None:
            return c.lit(item.kind.value in whole, node)  # type: ignore[union-attr]  # data_of: it is a Const
        if isinstance(whole, bytes) or isinstance(whole, str) and whole.isascii():
            return _one_of(c, arith.integer(c, item, node), strings.data_of(text.kind) or b"", node)
        raise c.mismatch("a constant string is searched for here", item.kind, node)
    if data is not None and len(data) > 1:
        return run(c, routines.holds_piece, [raw(c, text, node), c.lit(data, node)], node)
    if data == b"":
        return arith.after(c, text, c.lit(True, node))
    byte = Number(c.span(node), data[0]) if data is not None else arith.integer(c, item, node)
    return run(c, routines.holds_byte, [raw(c, text, node), byte], node)


def _one_of(c: Checker, number: Expr, whole: bytes, node: ast.AST) -> Expr:
    number = c.hold(number, "$byte")
    return strings.either(c, [Compare(c.span(node), strings.TRUTH, "eq", number, Number(c.span(node), b)) for b in sorted(set(whole))], node)


def isdigit(c: Checker, value: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`text.isdigit()`."""
    return run(c, routines.isdigit, [raw(c, value, node)], node)


def to_number(c: Checker, value: Expr, base: Expr | None, node: ast.AST) -> Expr:
    """`int(text)`, `int(text, 16)`: what is no number ends the program, as an uncaught ValueError ends a Python program."""
    text = raw(c, value, node)
    if base is None or base.kind == Const(10):
        return run(c, routines.number, [text], node)
    known = arith.known(c, base)
    if known is None or not 2 <= known <= 36:
        raise c.error("arguments", "int() of text takes a constant base of 2 to 36", node)
    return run(c, routines.number_in, [text, c.lit(known, node)], node)


def cut(c: Checker, value: Expr, lower: Expr | None, upper: Expr | None, most: int | None, node: ast.AST) -> Expr:
    """`text[a:b]` with bounds that are only known at run time: a new string, with zeros behind it. `most`: how long it is at
    most, if that is known."""
    if isinstance(value.kind, Agg):
        value = c.hold(strings.direct(c, value, strings.SEARCHED, node), "$text")
    layout = value.kind.target if isinstance(value.kind, Ptr) else None
    assert isinstance(layout, ArrayType)
    text = raw(c, value, node)
    start = c.hold(clamped(c, value, layout.count, lower, node), "$start") if lower is not None else Number(c.span(node), 0)
    stop = c.hold(clamped(c, value, layout.count, upper, node), "$stop") if upper is not None else Number(c.span(node), layout.count)
    a, z = arith.kind_of(start), arith.kind_of(stop)
    if not arith.is_exact(a):  # what the rounds tell of the place they read from is not to be told of what it was made of
        start = c.hold(Vague(c.span(node), a._replace(seen=1), start), "$start")
    room = ArrayType(CHAR if is_string(layout) else U8, max(min(z.hi - a.lo, layout.count if most is None else most), 1))
    slot = c.slot(room)
    c.emit(Store(c.span(node), slot, Blank(c.span(node), Agg(room))))
    run(c, routines.copy, [raw(c, slot, node), text, start, stop], node)
    assert isinstance(slot.kind, Ptr)
    return SlotPlace(c.span(node), slot.kind, slot.slot)


def packet_copy(c: Checker, cursor: Cursor, offset: Expr, count: Expr, node: ast.AST) -> Expr:
    """`pkt.bytes(offset, n)` with an n that is only known at run time."""
    count = c.hold(count, "$count")
    slot = c.slot(ArrayType(U8, max(arith.kind_of(count).hi, 1)))
    c.emit(Store(c.span(node), slot, Blank(c.span(node), Agg(slot.slot.layout))))
    pkt = Undef(c.span(node), cursor)
    offset = c.hold(arith.integer(c, offset, node), "$offset")
    a = arith.kind_of(count)
    counted = run(c, routines.packet_copy, [raw(c, slot, node), pkt, offset, count], node)
    there = c.hold(arith.integer(c, counted, node), "$there")
    if a.lo < 0:
        positive = Compare(c.span(node), strings.TRUTH, "ge", count, Number(c.span(node), 0))
        there = c.hold(Both(c.span(node), strings.TRUTH, positive, there), "$there")
    assert isinstance(slot.kind, Ptr)
    kind = slot.kind._replace(fresh=False)
    return Maybe(c.span(node), Optional(kind, packet.SHORT), there, SlotPlace(c.span(node), kind, slot.slot))


find = _finder("find", routines.find_byte, routines.find_piece, routines.find_text)
rfind = _finder("rfind", routines.last_byte, routines.last_piece, None)
