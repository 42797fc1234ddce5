"""What is true: a value's truth as a number, and numbers that are conditions put together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TypeVar

from ..dsl.ints import IntType
from ..dsl.layout import ArrayType
from ..tree.convert import coerce
from ..tree.kinds import BOOL, Choice, Const, Context, Cursor, I64, Int, Optional, Ptr, Text, Tuple, number
from ..tree.nodes import Both, Cast, Compare, Either, Expr, IfElse, Lit, Not, Number, Seq
from . import arith, memory, strings
from .context import Checker, has_effects


T = TypeVar("T")
TRUTH = Int(BOOL, 0, 1, True)


def negated(test: Expr) -> Expr:
    if isinstance(test, Lit):
        return Lit(test.span, not test.kind.value)  # type: ignore[union-attr]  # a Lit's kind is a Const
    return test.value if isinstance(test, Not) else Not(test.span, TRUTH, test)


def _joined(c: Checker, is_and: bool, a: Expr, b: Expr, node: ast.AST) -> Expr:
    if isinstance(a, Lit) and isinstance(a.kind, Const):
        return b if bool(a.kind.value) == is_and else a
    return (Both if is_and else Either)(c.span(node), TRUTH, as_number(a), as_number(b))


def as_number(test: Expr) -> Expr:
    """A condition as a machine word."""
    if isinstance(test.kind, Const):
        return coerce(test, Int(BOOL, int(bool(test.kind.value)), int(bool(test.kind.value))))
    return test


def truth(c: Checker, value: Expr, node: ast.AST) -> Expr:
    """Python's truth of a value: a constant, or a number that is not 0 where it is true."""
    kind = value.kind
    match kind:
        case Const(v):
            return arith.after(c, value, c.lit(bool(v), node)) if has_effects(value) else c.lit(bool(v), node)
        case Int():
            if arith.is_exact(kind):
                return arith.after(c, value, c.lit(bool(kind.lo), node))
            return value
        case Ptr():
            if kind.null or memory.is_address(value):
                return memory.present(c, value)
            if strings.is_text(kind) and kind.access == "direct":
                first = memory.element(c, memory.deref(c, value, node), Number(c.span(node), 0), node)
                return memory.load(c, first, node)
            if isinstance(kind.target, IntType) and kind.access == "direct":
                name = ast.unparse(node)
                raise c.error("type-mismatch", "this is a pointer to a number, which is always true", node,
                              help=f"read the number with '{name}.value'" if name.isidentifier() else "read the number with '.value'")
            return arith.after(c, value, c.lit(not isinstance(kind.target, ArrayType) or kind.target.count > 0, node))
        case Optional(some=some):
            if isinstance(some, Const) and not some.value:
                return arith.after(c, value, c.lit(False, node))
            if isinstance(some, Ptr) and not strings.is_text(some) or isinstance(some, Const | Cursor):
                return memory.present(c, value)
            whole = c.hold(value, "$maybe")
            inside = truth(c, Cast(whole.span, some, whole), node)
            return Both(c.span(node), TRUTH, memory.present(c, whole), as_number(inside))
        case Tuple(items=items):
            return arith.after(c, value, c.lit(bool(items), node))
        case Choice(options=options):
            if all(bool(o.value) for o in options):
                return c.lit(True, node)
            return Compare(c.span(node), TRUTH, "ne", coerce(value, value.kind), Number(c.span(node), 0)) \
                if not options else _choice_truth(c, value, kind, node)
        case Text() | Cursor() | Context():
            return c.lit(True, node)
        case _:
            return arith.integer(c, value, node)


def _choice_truth(c: Checker, value: Expr, kind: Choice, node: ast.AST) -> Expr:
    which = c.hold(Cast(value.span, Int(I64, 0, len(kind.options) - 1), value), "$which")
    result: Expr = Number(c.span(node), int(bool(kind.options[0].value)), Int(BOOL, 0, 1))
    for i, option in enumerate(kind.options[1:], 1):
        is_it = Compare(c.span(node), TRUTH, "eq", which, Number(c.span(node), i))
        result = IfElse(c.span(node), TRUTH, is_it, Number(c.span(node), int(bool(option.value)), TRUTH), coerce(result, TRUTH))
    return result


def all_of(c: Checker, tests: Iterable[Expr], node: ast.AST) -> Expr:
    """All conditions, tested one by one."""
    result: Expr | None = None
    for one in tests:
        result = one if result is None else _joined(c, True, result, one, node)
    return result if result is not None else c.lit(True, node)


def any_of(c: Checker, items: Iterable[T], make: Callable[[T], Expr], node: ast.AST) -> Expr:
    """One of the items' conditions, each evaluated only if none before it held. Balanced, so that many do not nest deeply."""
    found: list[Expr] = []
    for item in items:
        outer, c.out = c.out, []
        one = make(item)
        one = Seq(c.span(node), c.out, one) if c.out else one
        c.out = outer
        if isinstance(one.kind, Const):
            if one.kind.value:
                found.append(as_number(one))
                break
            if not has_effects(one):
                continue
            one = as_number(one)
        found.append(one)
    if not found:
        return c.lit(False, node)
    while len(found) > 1:
        found = [Either(c.span(node), TRUTH, *found[i : i + 2]) if i + 1 < len(found) else found[i] for i in range(0, len(found), 2)]
    return found[0]


def boolean(c: Checker, test: Expr, node: ast.AST) -> Expr:
    """A condition's number as 0 or 1."""
    if isinstance(test.kind, Const) or test.kind == TRUTH:
        return test
    known = number(test.kind)
    if known is not None and known.lo >= 0 and known.hi <= 1:
        return Cast(test.span, TRUTH, test)
    return arith.wrap(c, arith.integer(c, test, node), BOOL, node)
