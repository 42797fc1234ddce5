"""A callable of the language as data: what it takes, and who checks a call of it. The table itself is `callables`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..tree.kinds import Int
from ..tree.nodes import Expr
from .context import Checker
from .names import near


class Row:
    """One callable.

    check    (checker, arguments, node) -> value; of a method (checker, owner, arguments, node)
    params   names, separated by blanks: "key default=" takes one or two; "flags=0" is 0 where it is left out; "*items" takes
             the rest; one that begins with "_" is given by its place alone
    help     said where the number of arguments is wrong; without it, how it is called
    form     `check` looks at the arguments itself, before they are evaluated: (checker, node), or (checker, owner, node)
    """

    __slots__ = ("check", "params", "form", "help", "names", "fewest", "most", "rest", "defaults")

    def __init__(self, check: Callable[..., Expr], params: str = "", form: bool = False, help: str = "") -> None:
        self.check, self.params, self.form, self.help = check, params, form, help
        words = params.split()
        self.rest = bool(words) and words[-1].startswith("*")
        words = words[: len(words) - self.rest]
        self.names = [word.split("=")[0] for word in words]
        self.defaults: list[Any] = [ast.literal_eval(word.split("=")[1]) if word.split("=")[1:] > [""] else None for word in words]
        self.fewest = sum("=" not in word for word in words)
        self.most = 1 << 20 if self.rest else len(words)

    def shown(self, name: str) -> str:
        """How it is called."""
        return f"{name}({', '.join(p.lstrip('_').split('=')[0] for p in self.params.split())})"

    def bound(self, c: Checker, name: str, values: Sequence[Expr], named: Mapping[str, Expr], node: ast.AST) -> list[Expr]:
        """The arguments of a call in the order of the parameters. Those that are left out at the end are missing."""
        given = len(values) + len(named)
        if not self.fewest <= given <= self.most or len(values) > self.most:
            raise self.miscounted(c, name, given, node)
        result: list[Expr | None] = [*values, *[None] * (len(self.names) - len(values))]
        for word, value in named.items():
            if word not in self.names or word.startswith("_"):
                known = [n for n in self.names if not n.startswith("_")]
                raise c.error("arguments", f"{name}() has no parameter {word!r}", node, help=near(word, known) or self._help(name, node))
            at = self.names.index(word)
            if result[at] is not None:
                raise c.error("arguments", f"{word!r} is given twice", node)
            result[at] = value
        while result and result[-1] is None:
            result.pop()
        for i, one in enumerate(result):
            if one is None and i < self.fewest:
                raise c.error("arguments", f"{name}() lacks {self.names[i]!r}", node, help=self._help(name, node))
        full = [one if one is not None else c.lit(self.defaults[i], node) for i, one in enumerate(result)]
        return full + [c.lit(d, node) for d in self.defaults[len(full):] if d is not None]

    def miscounted(self, c: Checker, name: str, given: int, node: ast.AST) -> Exception:
        """The error that says how many arguments it takes."""
        few, most = self.fewest, self.most
        wanted = (str(few) if few else "no") if few == most else f"{few} to {most}" if most < 99 else f"at least {few}"
        return c.error("arguments", f"{name}() takes {wanted} argument{'s' * (wanted != '1')}, {given} given", node, help=self._help(name, node))

    def _help(self, name: str, node: ast.AST) -> str:
        """How it is called, in the user's words."""
        if self.help:
            return self.help
        return f"it is {self.shown(ast.unparse(node.func) if isinstance(node, ast.Call) else name)}" if self.names else ""


def in_order(c: Checker, name: str, names: Sequence[str], node: ast.Call, shown: str) -> list[ast.expr]:
    """The arguments of a call of one of the kernel's functions, some of them by name: in the order of the parameters, in which
    they are evaluated. Raises an error for what is out of order, or has no such name."""
    args = list(node.args)
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in names:
            raise c.error("arguments", f"{name}() has no parameter {keyword.arg!r}" if keyword.arg else "'**' in a call", keyword.value,
                          help=near(keyword.arg or "", names) or f"it is {shown}")
        at = names.index(keyword.arg)
        if at < len(args):
            raise c.error("arguments", f"{keyword.arg!r} is given twice, or behind a later one", keyword.value, help=f"it is {shown}")
        if at > len(args):
            raise c.error("arguments", f"{name}() lacks {names[len(args)]!r}", keyword.value, help=f"it is {shown}")
        args.append(keyword.value)
    return args


def as_of_now(c: Checker, value: Expr, later: Sequence[ast.expr]) -> Expr:
    """A number that is read before what follows is evaluated, which may change it."""
    if isinstance(value.kind, Int) and any(isinstance(n, ast.Call | ast.NamedExpr) for one in later for n in ast.walk(one)):
        return c.hold(value, "$arg")
    return value
