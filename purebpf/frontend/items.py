"""`for x in …`: arrays by a counter, constants and tuples unrolled; enumerate, zip, reversed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl.layout import ArrayType
from ..tree.kinds import Agg, Cursor, Const, I64, Int, Ptr, Tuple, is_maybe, is_string
from ..tree.nodes import Arith, Block, Both, Compare, Expr, Get, Lit, Local, MakeTuple, Number, Set, Vague
from . import arith, compare, fitting, keeping, maps, memory, stmts, strings
from .context import Checker, Target
from .ranges import PLAIN, TRUTH, _counted, _for_range, _grant, _shown, walked


def _enumerate(c: Checker, node: ast.For, call: ast.Call) -> None:
    start = 0
    for keyword in call.keywords:
        if keyword.arg != "start":
            raise c.error("arguments", f"enumerate() has no parameter {keyword.arg!r}", call)
        call = ast.copy_location(ast.Call(call.func, [*call.args, keyword.value], []), call)
    if not 1 <= len(call.args) <= 2:
        raise c.error("arguments", f"enumerate() takes 1 or 2 arguments, {len(call.args)} given", call)
    if len(call.args) == 2:
        known = arith.known(c, c.expr(call.args[1]))
        if known is None:
            c.unsupported("enumerate() from a number that is only known at run time", call.args[1])
        start = known
    _for_items(c, node, [c.happened(c.expr(call.args[0]))], lambda items: items[0], numbered=start)


def _zip(c: Checker, node: ast.For, call: ast.Call) -> None:
    things = [c.happened(c.expr(a)) for a in call.args]

    def together(items: list[Expr]) -> Expr:
        return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), tuple(items))

    _for_items(c, node, things, together)


def _reversed(c: Checker, node: ast.For, call: ast.Call) -> None:
    if len(call.args) != 1:
        raise c.error("arguments", f"reversed() takes 1 argument, {len(call.args)} given", call)
    inner = call.args[0]
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and c.find(inner.func.id) is None and inner.func.id == "range":
        args = [arith.constant(c.expr(a)) for a in inner.args]
        if None not in args:
            r = range(*(a for a in args if a is not None))[::-1]
            _for_range(c, node, [Number(c.span(node), v) for v in (r.start, r.stop, r.step)])
            return
        if len(args) <= 2:
            span = c.span(node)
            values = [arith.integer(c, c.expr(a), a) for a in inner.args]
            start, stop = (Number(span, 0), values[0]) if len(values) == 1 else (values[0], values[1])
            first = arith.integer(c, arith.binary(c, "-", stop, Number(span, 1), node), node)
            last = arith.integer(c, arith.binary(c, "-", start, Number(span, 1), node), node)
            _for_range(c, node, [first, last, Number(span, -1)])
            return
    _for_items(c, node, [c.happened(c.expr(inner))], lambda items: items[0], backwards=True)


def _for_items(c: Checker, node: ast.For, things: list[Expr], value: Callable[[list[Expr]], Expr], *, numbered: int | None = None,
               backwards: bool = False) -> None:
    """`for x in things`: arrays in memory by a counter, constants and tuples unrolled. Text ends where its characters do."""
    things = [keeping.placed(c, t, t.kind.layout, node) if isinstance(t.kind, Agg) else t for t in things]
    for thing in things:
        if is_maybe(thing.kind):
            raise arith.may_be_none(c, thing, node.iter)
    sizes = [_length(thing) for thing in things]
    if None in sizes:
        thing = things[sizes.index(None)]
        help = "write 'for i in range(len(pkt)):' and 'pkt[i]'" if isinstance(thing.kind, Cursor) else ""
        if isinstance(thing.kind, Const | Ptr) and maps.of(c, thing, node.iter) is not None:
            help = "the kernel walks a map by itself: 'for key, value in m.items():', with a count of your own"
        raise c.mismatch("'for' goes over range(…), an array, a map or a constant sequence" if not isinstance(node.iter, ast.Call) else
                         "this goes over arrays, text and constant sequences", thing.kind, node.iter, help)
    count = min(s for s in sizes if s is not None)
    in_memory = any(isinstance(t.kind, Ptr) for t in things)
    if not in_memory:
        columns = [_constants(c, t, node) for t in things]
        rows = [value(list(items)) for items in zip(*columns)]
        if backwards:
            rows.reverse()
        _unrolled(c, node, _number(c, rows, numbered, node))
        return
    _walk(c, node, things, value, numbered, backwards, count)


def _walk(c: Checker, node: ast.For, things: list[Expr], value: Callable[[list[Expr]], Expr], numbered: int | None, backwards: bool,
          count: int) -> None:
    """Arrays in memory, by a counter."""
    arrays = [_array(c, t, node) for t in things]
    texts = [a for a, t in zip(arrays, things) if isinstance(t.kind, Ptr) and is_string(t.kind.target)]
    span = c.span(node)
    counter = Local(f"${_shown(node.target)}", ("i64",))
    if backwards and texts:
        _text_backwards(c, node, texts[0], counter, value)
        return
    c.emit(Set(span, counter, Number(span, 0)))
    inside = Get(span, Int(I64, 0, max(count - 1, 0), 2 if count <= PLAIN else 1), counter)
    more: Expr = Compare(span, TRUTH, "lt", Get(span, Int(I64, 0, count), counter), Number(span, count))
    for text in texts:
        character = memory.load(c, memory.element(c, text, inside, node.iter), node.iter)
        more = Both(span, TRUTH, more, Compare(span, TRUTH, "ne", character, Number(span, 0)))

    def item() -> Expr:
        at: Expr = inside
        if backwards:
            at = Arith(span, Int(I64, 0, max(count - 1, 0), True), "-", Number(span, count - 1), inside)
        items = [memory.load(c, memory.element(c, a, at, node.iter), node.iter) for a in arrays]
        found = value(items)
        if numbered is None:
            return found
        index: Expr = inside if not numbered else Arith(span, Int(I64, numbered, numbered + count), "+", inside, Number(span, numbered))
        return MakeTuple(span, Tuple((index.kind, found.kind)), (index, found))

    step = Set(span, counter, Arith(span, Int(I64, 0, count), "+", inside, Number(span, 1)))
    loop = _counted(c, node, more, count > 0 and not texts, item, step, rounds=count, early=bool(texts))
    if texts:
        _grant(c, loop, count)
    else:
        walked(loop, count)


def _text_backwards(c: Checker, node: ast.For, text: Expr, counter: Local, value: Callable[[list[Expr]], Expr]) -> None:
    """`for x in reversed(text)`: from its last character, down."""
    span, size = c.span(node), strings._layout(text).count
    c.emit(Set(span, counter, Vague(span, Int(I64, 0, size, 1), strings.length(c, text, node))))
    now = Get(span, Int(I64, 0, size), counter)
    before = Arith(span, Int(I64, 0, max(size - 1, 0)), "-", Get(span, Int(I64, 1, max(size, 1)), counter), Number(span, 1))
    more = Compare(span, TRUTH, "gt", now, Number(span, 0))

    def item() -> Expr:
        return value([memory.load(c, memory.element(c, text, before, node.iter), node.iter)])

    loop = _counted(c, node, more, False, item, Set(span, counter, before), rounds=size, early=True)
    _grant(c, loop, size)


def _length(thing: Expr) -> int | None:
    kind = thing.kind
    match kind:
        case Const(list() | tuple() | str() | bytes() | dict() | set() | frozenset() | range() as v):
            return len(v)
        case Const(v) if isinstance(v, type) and hasattr(v, "__members__"):
            return len(v.__members__)
        case Tuple(items=items):
            return len(items)
        case Ptr(target=ArrayType(count=count)):
            return count
        case _:
            return None


def _constants(c: Checker, thing: Expr, node: ast.For) -> list[Expr]:
    kind = thing.kind
    if isinstance(kind, Const):
        value: Any = kind.value
        return [c.lit(v, node.iter) for v in value]
    return compare.items_of(c, thing) or []


def _array(c: Checker, thing: Expr, node: ast.For) -> Expr:
    kind = thing.kind
    if isinstance(kind, Ptr):
        return memory.deref(c, c.hold(keeping.settle(c, thing, node), "$array"), node.iter)
    items = _constants(c, thing, node)
    table = fitting.constant_array(c, [i.kind.value for i in items if isinstance(i.kind, Const)], node) if items else None
    if table is None or not all(isinstance(i.kind, Const) for i in items):
        raise c.mismatch("an array goes together with arrays and constant numbers here", thing.kind, node.iter)
    return table


def _number(c: Checker, rows: list[Expr], numbered: int | None, node: ast.For) -> list[Expr]:
    if numbered is None:
        return rows
    return [_numbered(c, i, row, node) for i, row in enumerate(rows, numbered)]


def _numbered(c: Checker, i: int, row: Expr, node: ast.For) -> Expr:
    if isinstance(row, Lit):
        return c.lit((i, row.kind.value), node)  # type: ignore[union-attr]  # a Lit's kind is a Const
    return MakeTuple(c.span(node), Tuple((Const(i), row.kind)), (c.lit(i, node), row))


def _unrolled(c: Checker, node: ast.For, items: list[Expr]) -> None:
    """A round a value, one after another."""
    whole = Block(c.span(node))
    done = Target(whole)
    outer, c.out = c.out, whole.body
    for item in items:
        if c.env is None:
            break
        once = Block(c.span(node))
        this = Target(once)
        c.frame.loops.append(Unrolled(done, this))
        inner, c.out = c.out, once.body
        c.at(node)
        stmts.assign(c, node.target, item)
        stmts.body(c, node.body)
        end = c.path()
        c.out = inner
        c.frame.loops.pop()
        c.emit(once)
        c.at(node)
        c.merge([end, *this.breaks])
    if c.env is not None:
        stmts.body(c, node.orelse)
    end = c.path()
    c.out = outer
    c.emit(whole)
    c.at(node)
    c.merge([end, *done.breaks])


class Unrolled(Target):
    """A round of an unrolled loop: `break` leaves the whole, `continue` the round."""

    __slots__ = ("round",)

    def __init__(self, whole: Target, this: Target) -> None:
        super().__init__(whole.loop)
        self.breaks, self.round = whole.breaks, this
