"""Expressions: a table from syntax node to the function that checks it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..tree.convert import coerce
from ..tree.kinds import Broken, Const, NONE, POISON, Tuple, is_maybe, join, narrowed
from ..tree.nodes import Expr, IfElse, Lit, MakeTuple, Seq, Stmt, Undef
from . import arith, calls, compare, conds, formats, keeping, strings, truths
from .attributes import _attribute, _attribute_place, _constant, _name, _name_place
from .context import Checker, Closure, Path, has_effects
from .operators import _binary, _unary
from .subscripts import _subscript, _subscript_place


def expr(c: Checker, node: ast.expr) -> Expr:
    """Check an expression and read it: what it gives is a value."""
    handler = EXPRS.get(type(node))
    if handler is None:
        c.unsupported(NAMES.get(type(node), type(node).__name__), node, HELP.get(type(node), ""))
    return handler(c, node)


def _bool_op(c: Checker, node: ast.BoolOp) -> Expr:
    """`a or b` as a value is the operand that decided."""
    if all(isinstance(v, ast.Compare | ast.UnaryOp) and (isinstance(v, ast.Compare) or isinstance(v.op, ast.Not)) for v in node.values):
        return conds.as_value(c, node)
    is_or = isinstance(node.op, ast.Or)
    return _decide(c, node.values, is_or, node)


def _decide(c: Checker, values: list[ast.expr], is_or: bool, node: ast.AST) -> Expr:
    left = keeping.settle(c, c.expr(values[0]), values[0])
    if len(values) == 1:
        return left
    if isinstance(left.kind, Const) and not has_effects(left):
        return left if bool(left.kind.value) == is_or else _decide(c, values[1:], is_or, node)
    held = c.hold(left, "$left")
    facts = conds._facts(c, held, values[0])
    outer, c.out = c.out, []
    fork = conds.decide(c, truths.truth(c, held, values[0]), facts)
    test = Seq(c.span(node), c.out, fork.test) if c.out else fork.test
    c.out = outer
    decided, rest = (fork.yes, fork.no) if is_or else (fork.no, fork.yes)
    kept = coerce(held, narrowed(held.kind)) if is_or and is_maybe(held.kind) and held.kind != NONE else held
    return branch(c, test, (decided, lambda: kept), (rest, lambda: _decide(c, values[1:], is_or, node)), not is_or, node)


Way = tuple[conds.State | None, Callable[[], Expr]]


def branch(c: Checker, test: Expr, first: Way, second: Way, swapped: bool, node: ast.AST) -> Expr:
    """A value that comes from one of two ways: `first` where the test holds (where not, if `swapped`). Text of different
    room on them gets the larger."""
    env, held, out = c.env, c.held, c.out
    ways = _ways(c, first, second, 0, node)
    room = strings.common_room([value.kind for _, value, _ in ways])
    if room:
        c.env, c.held, c.out = env, held, out
        ways = _ways(c, first, second, room, node)
    if not ways:
        c.env = None
        return Undef(c.span(node), POISON)
    c.merge([path for _, _, path in ways])
    kind = ways[0][1].kind
    for _, value, _ in ways[1:]:
        kind = join(kind, value.kind, "the result")
    if isinstance(kind, Broken) and kind.code:
        raise c.error(kind.code, kind.message.replace("'the result'", "the result"), node, help=kind.help)
    values = [Seq(v.span, body, coerce(v, kind)) if body else coerce(v, kind) for body, v, _ in ways]
    if len(values) == 1:
        return arith.after(c, test, values[0])
    yes, no = reversed(values) if swapped else values
    return IfElse(c.span(node), kind, truths.as_number(test), yes, no)


def _ways(c: Checker, first: Way, second: Way, room: int, node: ast.AST) -> list[tuple[list[Stmt], Expr, Path]]:
    """What each of two ways gives, with its statements and its end; text with `room`, if that is not 0."""
    ways: list[tuple[list[Stmt], Expr, Path]] = []
    for state, make in (first, second):
        if state is None:
            continue
        found: list[Expr] = []

        def check(make: Callable[[], Expr] = make, found: list[Expr] = found) -> None:
            found.append(keeping.settle(c, make(), node))
            found[0] = keeping.settle(c, strings.roomy(c, found[0], room, node), node) if room else found[0]

        body, path = c.fork(state[0], state[1], check)
        if path is not None:
            ways.append((body, found[0], path))
    return ways


def _if_exp(c: Checker, node: ast.IfExp) -> Expr:
    fork = conds.test(c, node.test)
    return branch(c, fork.test, (fork.yes, lambda: c.expr(node.body)), (fork.no, lambda: c.expr(node.orelse)), False, node)


def _named(c: Checker, node: ast.NamedExpr) -> Expr:
    value = c.expr(node.value)
    c.unit.tables.assign_name(c, node.target, value)
    return _name(c, node.target)


def _tuple(c: Checker, node: ast.Tuple | ast.List) -> Expr:
    items: list[Expr] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            spread = compare.items_of(c, c.expr(item.value))
            if spread is None:
                c.unsupported("'*' of something that is no tuple", item)
            items += spread
            continue
        value = keeping.settle(c, c.expr(item), item)
        items.append(value)
    if all(isinstance(i.kind, Const) and isinstance(i, Lit) for i in items):
        values = [i.kind.value for i in items]  # type: ignore[union-attr]  # checked in the line above
        return c.lit(tuple(values) if isinstance(node, ast.Tuple) else values, node)
    return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), tuple(items))


def plain_body(c: Checker, node: ast.FunctionDef | ast.Lambda) -> None:
    """A nested function is checked where it is called. What makes it no function, but a generator or a coroutine, is
    refused where it is written."""
    todo: list[ast.AST] = list(node.body) if isinstance(node, ast.FunctionDef) else [node.body]
    while todo:
        one = todo.pop()
        if isinstance(one, ast.Yield | ast.YieldFrom | ast.Await):
            c.unsupported(NAMES[type(one)], one, HELP.get(type(one), ""))
        if not isinstance(one, ast.FunctionDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(one))


def _lambda(c: Checker, node: ast.Lambda) -> Expr:
    plain_body(c, node)
    return Lit(c.span(node), Closure(c.unit.nested(c.frame.source, node), c.frame, _lambda_defaults(c, node.args)))


def _lambda_defaults(c: Checker, a: ast.arguments) -> dict[str, str]:
    """The defaults of a nested function are computed where it is made. They are variables, in a frame of their own."""
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    given = [*zip(reversed(names), reversed(a.defaults)), *((p.arg, v) for p, v in zip(a.kwonlyargs, a.kw_defaults) if v is not None)]
    if given:
        c.inlined += 1
        c.kept.add(c.inlined)
    frame, found = c.inlined, {}
    for name, value in given:
        found[name] = f"{name}@{frame}"
        c.bind(found[name], keeping.settle(c, c.expr(value), value), name)
    return found


def compare_value(c: Checker, node: ast.Compare) -> Expr:
    return conds.as_value(c, node)


def place(c: Checker, node: ast.expr) -> Expr:
    """Check an expression without reading the memory that it names."""
    match node:
        case ast.Name():
            return _name_place(c, node)
        case ast.Attribute():
            return _attribute_place(c, node)
        case ast.Subscript():
            return _subscript_place(c, node)
        case _:
            return expr(c, node)


EXPRS: dict[type[ast.expr], Callable[[Checker, Any], Expr]] = {
    ast.Name: _name, ast.Constant: _constant, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.BinOp: _binary,
    ast.UnaryOp: _unary, ast.BoolOp: _bool_op, ast.Compare: compare_value, ast.IfExp: _if_exp, ast.NamedExpr: _named,
    ast.Tuple: _tuple, ast.List: _tuple, ast.Call: calls.call, ast.JoinedStr: formats.joined, ast.Lambda: _lambda,
}
NAMES: dict[type[ast.AST], str] = {
    ast.ListComp: "a list comprehension", ast.DictComp: "a dict comprehension", ast.SetComp: "a set comprehension",
    ast.GeneratorExp: "a generator expression", ast.Await: "'await'", ast.Yield: "'yield'", ast.YieldFrom: "'yield from'",
    ast.Dict: "a dict", ast.Set: "a set", ast.Starred: "'*'", ast.Slice: "a slice",
}
HELP: dict[type[ast.AST], str] = {
    ast.ListComp: "write a loop: BPF has no memory to grow a list in",
    ast.GeneratorExp: "any(), all(), sum(), min() and max() take one; elsewhere write a loop",
    ast.Yield: "return the value, or put it into memory that the caller gives",
    ast.YieldFrom: "write a loop",
    ast.Await: "a program runs to its end without waiting",
    ast.Dict: "use a map: HashMap[K, V](max_entries=…) at module level",
    ast.Set: "use a map, or compare with 'in (a, b, c)'",
}
