"""One of a few things, which one is known at run time: each is dealt with on its own path."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..tree.kinds import BOOL, Int
from ..tree.nodes import Compare, Expr, If, Number
from . import keeping
from .context import Checker

T = TypeVar("T")


def choose(c: Checker, which: Expr, options: Sequence[T], make: Callable[[T], Expr], node: ast.AST) -> Expr:
    """The value for the option that `which` says; each is checked on its own path."""
    paths = []
    branches: list[list[Any]] = []
    env, held = dict(c.env or {}), c.held
    for option in options:
        def check(option: T = option) -> None:
            c.bind("$chosen", keeping.settle(c, make(option), node), "chosen")

        body, path = c.fork(env, held, check)
        branches.append(body)
        paths.append(path)
    c.merge(paths)
    stmts = branches[-1]
    for i in range(len(branches) - 2, -1, -1):
        test = Compare(c.span(node), Int(BOOL, 0, 1, True), "eq", which, Number(c.span(node), i))
        stmts = [If(c.span(node), test, branches[i], stmts)]
    c.out += stmts
    value = c.read("$chosen", node)
    if c.env is not None:
        c.env.pop("$chosen", None)
    return value
