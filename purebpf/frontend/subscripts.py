"""`base[index]`: elements, entries, items of constants and tuples, slices."""

from __future__ import annotations

import ast
from typing import Any

from ..dsl.layout import ArrayType, Layout
from ..tree.convert import coerce
from ..tree.kinds import (
    Agg, BOOL, Broken, Choice, Const, Cursor, I64, Int, POISON, Ptr, Tuple, U64, is_bytes, is_maybe, is_string, join, number,
)
from ..tree.nodes import Cast, Compare, Expr, Guard, IfElse, Lit, MakeTuple, Number
from . import arith, compare, fitting, keeping, library, maps, memory, packet, strings, truths
from .attributes import known
from .choosing import choose
from .context import Checker
from .names import near


def _subscript(c: Checker, node: ast.Subscript) -> Expr:
    base = memory.base(c, c.place(node.value), node.value)
    map = _map_of(c, base, node)
    if map is not None:
        return maps.read_entry(c, map, keeping.settle(c, c.expr(node.slice), node.slice), node)
    chosen = maps.choices(c, base, node)
    if chosen is not None:
        key = c.hold(keeping.settle(c, c.expr(node.slice), node.slice), "$key")
        return choose(c, chosen[0], chosen[1], lambda m: maps.read_entry(c, m, key, node), node)
    return memory.load(c, subscript(c, base, node), node)


def _map_of(c: Checker, base: Expr, node: ast.Subscript) -> maps.MapOf | None:
    return maps.of(c, base, node.value) if isinstance(base.kind, Const | Ptr) else None


def _subscript_place(c: Checker, node: ast.Subscript) -> Expr:
    """`base[index]` as memory. An entry of a map that is not there is made."""
    base = memory.base(c, c.place(node.value), node.value)
    map = _map_of(c, base, node)
    if map is not None:
        return maps.entry_place(c, map, c.expr(node.slice), node)
    return subscript(c, base, node)


def subscript(c: Checker, base: Expr, node: ast.Subscript) -> Expr:
    """`base[index]`, a place where it is one."""
    kind = base.kind
    if isinstance(kind, Const | Cursor):
        c.drop(base)
    if isinstance(kind, Const):
        return _constant_item(c, base, kind.value, node)
    if isinstance(kind, Tuple):
        return _tuple_item(c, base, kind, node)
    if kind == POISON:
        return base
    if isinstance(kind, Cursor):
        if isinstance(node.slice, ast.Slice):
            c.unsupported("a slice of the packet", node, f"'{ast.unparse(node.value)}.bytes(0, 4)' is four bytes, or None where there are fewer")
        return packet.byte_at(c, kind, arith.integer(c, c.expr(node.slice), node.slice), node)
    if is_maybe(kind):
        raise arith.may_be_none(c, base, node.value)
    if isinstance(kind, Agg):
        base = keeping.placed(c, base, kind.layout, node)
    if isinstance(base.kind, Ptr):
        if isinstance(node.slice, ast.Slice):
            return _slice(c, base, node.slice, node)
        place, index = memory.indexed(c, base, node.value), _index(c, node)
        if is_string(base.kind.target) and arith.kind_of(index).lo < 0:
            place = c.hold(place, "$text") if not memory.is_place(place) else place
            index = strings.from_the_end(c, place, index, node)
        return memory.element(c, place, index, node)
    if isinstance(kind, Choice):
        which = c.hold(Cast(base.span, Int(I64, 0, len(kind.options) - 1), base), "$which")
        return choose(c, which, kind.options, lambda o: subscript(c, Lit(base.span, o.value), node), node)
    raise c.mismatch("an array, a map or a pointer can be indexed", kind, node)


def _index(c: Checker, node: ast.Subscript) -> Expr:
    return arith.integer(c, c.expr(node.slice), node.slice)


def _bound(c: Checker, node: ast.expr | None) -> int | None:
    if node is None:
        return None
    value = arith.known(c, c.expr(node))
    if value is None:
        c.unsupported("a slice whose bounds are only known at run time", node, "loop over the elements")
    return value


def _slice(c: Checker, base: Expr, node: ast.Slice, at: ast.AST) -> Expr:
    if node.step is not None and _bound(c, node.step) != 1:
        c.unsupported("a slice with a step", node.step)
    if not isinstance(base.kind, Ptr) or not isinstance(base.kind.target, ArrayType):
        raise c.mismatch("an array or a string can be sliced", base.kind, at)
    lower, upper = (c.expr(n) if n is not None else None for n in (node.lower, node.upper))
    bounds = [arith.known(c, v) if v is not None else None for v in (lower, upper)]
    text = is_string(base.kind.target)
    if any(v is not None and (n is None or text and n < 0) for v, n in zip((lower, upper), bounds)):
        if not is_bytes(base.kind.target):
            c.unsupported("a slice whose bounds are only known at run time", at, "loop over the elements")
        first, last = (arith.integer(c, v, n) if v is not None and n is not None else None
                       for v, n in ((lower, node.lower), (upper, node.upper)))
        return library.cut(c, base, first, last, _most(node, bounds), at)
    return strings.sliced(c, base, bounds[0], bounds[1], at)


def _most(node: ast.Slice, bounds: list[int | None]) -> int | None:
    """The most elements that a slice has: `s[at + 1:at + 9]` has 8."""
    lower, upper = bounds
    if lower is not None and lower < 0 and node.upper is None:
        return -lower
    if lower is not None and upper is not None and (lower < 0) == (upper < 0):
        return max(upper - lower, 0)
    (a, x), (b, y) = _affine(node.lower), _affine(node.upper)
    return max(y - x, 0) if a is not None and a == b else None


def _affine(node: ast.expr | None) -> tuple[str | None, int]:
    """An expression as something and a constant that is added to it. What has effects is not the same twice."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int() as n)):
            base, more = _affine(left)
            return base, more + (n if isinstance(op, ast.Add) else -n)
        case ast.BinOp(left=ast.Constant(value=int() as n), op=ast.Add(), right=right):
            base, more = _affine(right)
            return base, more + n
        case None:
            return None, 0
        case _ if any(isinstance(n, ast.Call | ast.NamedExpr) for n in ast.walk(node)):
            return None, 0
        case _:
            return ast.dump(node), 0


def _tuple_item(c: Checker, base: Expr, kind: Tuple, node: ast.Subscript) -> Expr:
    if isinstance(node.slice, ast.Slice):
        items = compare.items_of(c, base) or []
        chosen = tuple(items[slice(_bound(c, node.slice.lower), _bound(c, node.slice.upper))])
        return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in chosen)), chosen)
    items = compare.items_of(c, base) or []
    index = c.expr(node.slice)
    at = arith.known(c, index)
    if at is not None and -len(kind.items) <= at < len(kind.items):
        return items[at]
    if at is not None or number(index.kind) is None:
        raise c.error("index", f"a tuple of {len(kind.items)} takes an index inside it", node)
    return _pick(c, items, arith.integer(c, index, node.slice), node)


def _pick(c: Checker, items: list[Expr], index: Expr, node: ast.AST) -> Expr:
    """One of a few values by an index known at run time."""
    index = c.hold(memory.from_the_end(c, index, len(items), node) if arith.kind_of(index).lo < 0 else index, "$index")
    kind = items[0].kind
    for item in items[1:]:
        kind = join(kind, item.kind, "the item")
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node)
    span = c.span(node)
    c.emit(Guard(span, Compare(span, Int(BOOL, 0, 1), "lt", Cast(span, Int.of(U64), index), Number(span, len(items)))))
    c.function.aborts = True
    result = coerce(items[-1], kind)
    for i in range(len(items) - 2, -1, -1):
        test = Compare(span, Int(BOOL, 0, 1, True), "eq", index, Number(span, i))
        result = IfElse(span, kind, test, coerce(items[i], kind), result)
    return result


def _constant_item(c: Checker, base: Expr, container: Any, node: ast.Subscript) -> Expr:
    """An item of a constant; a type with a length; a sequence of numbers indexed at run time is a table in .rodata."""
    if isinstance(container, Layout | type) or type(container).__name__ == "_PtrWord":
        return c.lit(c.unit.evaluate(c, node, c.frame.source), node)
    if isinstance(node.slice, ast.Slice):
        return c.lit(container[slice(_bound(c, node.slice.lower), _bound(c, node.slice.upper))], node)
    index = c.expr(node.slice)
    if isinstance(index.kind, Const):
        c.drop(index)
        try:
            return known(c, container[index.kind.value], "", node)
        except (LookupError, TypeError) as error:
            wanted = index.kind.value
            if isinstance(container, dict):
                raise c.error("index", f"this dict has no {wanted!r}", node, help=near(str(wanted), map(str, container))) from None
            if isinstance(wanted, int) and hasattr(container, "__len__"):
                raise c.error("index", f"index {wanted} is outside a {type(container).__name__} of {len(container)}", node) from None
            raise c.error("index", f"this constant index is wrong: {error}", node) from None
    if isinstance(container, dict):
        return _table_of(c, container, index, node)
    if isinstance(container, str) and container:
        letters = strings.constant_text(c, container, node)
        return memory.load(c, memory.element(c, letters, arith.integer(c, index, node.slice), node), node)
    if isinstance(container, list | tuple | bytes | range) and container:
        table = fitting.constant_array(c, container, node)
        if table is not None:
            return memory.load(c, memory.element(c, table, arith.integer(c, index, node.slice), node), node)
        return _pick(c, [known(c, v, "", node) for v in container], arith.integer(c, index, node.slice), node)
    raise c.error("index", "this constant takes a constant index", node)


def _table_of(c: Checker, table: dict[Any, Any], index: Expr, node: ast.AST) -> Expr:
    """A constant dict looked up at run time: outside its keys the program ends, as a KeyError would end it."""
    if not table:
        raise c.error("index", "this dict is empty", node)
    key = c.hold(index, "$key")
    tests = [compare.compare(c, ast.Eq(), key, c.lit(k, node), node) for k in table]
    c.emit(Guard(c.span(node), truths.as_number(truths.any_of(c, tests, lambda t: t, node))))
    c.function.aborts = True
    values = [known(c, v, "", node) for v in table.values()]
    return _first_of(c, tests[:-1], values[:-1], values[-1], node)


def dict_get(c: Checker, table: dict[Any, Any], args: list[Expr], node: ast.AST) -> Expr:
    """`TABLE.get(key, default)` of a constant dict."""
    if not 1 <= len(args) <= 2:
        raise c.error("arguments", f"get() takes 1 to 2 arguments, {len(args)} given", node)
    key, default = c.hold(args[0], "$key"), args[1] if len(args) > 1 else c.lit(None, node)
    if isinstance(key.kind, Const):
        return known(c, table[key.kind.value], "", node) if key.kind.value in table else default
    tests = [compare.compare(c, ast.Eq(), key, c.lit(k, node), node) for k in table]
    return _first_of(c, tests, [known(c, v, "", node) for v in table.values()], default, node)


def _first_of(c: Checker, tests: list[Expr], values: list[Expr], otherwise: Expr, node: ast.AST) -> Expr:
    """The value that belongs to the first test that holds."""
    kind = otherwise.kind
    for value in values:
        kind = join(kind, value.kind, "the value")
    if isinstance(kind, Broken):
        raise c.error(kind.code, kind.message, node)
    result = coerce(otherwise, kind)
    for test, value in zip(reversed(tests), reversed(values)):
        if isinstance(test.kind, Const):
            result = coerce(value, kind) if test.kind.value else result
        else:
            result = IfElse(c.span(node), kind, truths.as_number(test), coerce(value, kind), result)
    return result
