"""What a call was given: its arguments, evaluated in their order."""

from __future__ import annotations

import ast
from typing import NamedTuple

from ..tree.kinds import Agg, rep
from ..tree.nodes import Expr
from . import arith, compare
from .context import Checker


class Args(NamedTuple):
    """The arguments of a call, evaluated in order."""

    values: list[Expr]
    named: dict[str, Expr]


def arguments(c: Checker, node: ast.Call) -> Args:
    """Evaluate the arguments, left to right."""
    values: list[Expr] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            items = compare.items_of(c, c.expr(arg.value))
            if items is None:
                c.unsupported("'*' of something that is no tuple", arg)
            values += items
        else:
            values.append(c.expr(arg))
    named: dict[str, Expr] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            c.unsupported("'**' in a call", keyword.value)
        named[keyword.arg] = c.expr(keyword.value)
    many = sum(arith.acts(v) for v in (*values, *named.values())) > 1
    return Args([_in_order(c, v, many) for v in values], {k: _in_order(c, v, many) for k, v in named.items()})


def _in_order(c: Checker, value: Expr, many: bool) -> Expr:
    """An argument; where several have effects they are evaluated here, one after another."""
    if not rep(value.kind) and not isinstance(value.kind, Agg):
        return c.flat(value)
    return c.hold(value, "$arg") if many and arith.acts(value) and not isinstance(value.kind, Agg) else value


def positional(c: Checker, node: ast.Call) -> list[Expr]:
    args = arguments(c, node)
    if args.named:
        raise c.error("arguments", f"no keyword argument {next(iter(args.named))!r} here", node)
    return args.values
