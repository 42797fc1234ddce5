"""Generator expressions, where a builtin takes them at once: `any(x == 0 for x in a)` is a loop in the place of the call.

The loop is a nested function of its own, `def any(): for x in a: if x == 0: return True …`, checked where it is called: its
variables are its own, all others are those around it, as in Python.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from ..tree.nodes import Expr
from . import functions
from .context import Checker, Closure
from .source import Source

# builtin -> before the loop, for each element ELT, behind it
FORMS: dict[Any, tuple[str, str, str]] = {
    any: ("", "if ELT: return True", "return False"),
    all: ("", "if not ELT: return False", "return True"),
    sum: ("_total = START", "_total += ELT", "return _total"),
    min: ("_best = None", "_value = ELT\nif _best is None or _value < _best: _best = _value", "return _best if _best is not None else DEFAULT"),
    max: ("_best = None", "_value = ELT\nif _best is None or _value > _best: _best = _value", "return _best if _best is not None else DEFAULT"),
}
EMPTY = "assert _best is not None\nreturn _best"  # of nothing, without a default: as an uncaught ValueError
PARAMETERS = {sum: ("start", "START"), min: ("default", "DEFAULT"), max: ("default", "DEFAULT")}


def taken(word: object, node: ast.Call) -> bool:
    """Is it a call of such a builtin with a generator?"""
    kinds = ast.GeneratorExp if word is any or word is all else ast.GeneratorExp | ast.ListComp  # of a list all is computed
    return bool(node.args) and isinstance(node.args[0], kinds) and any(word is form for form in FORMS)


def call(c: Checker, word: Any, node: ast.Call) -> Expr:
    """The builtin, applied to what the generator gives."""
    generator = node.args[0]
    assert isinstance(generator, ast.GeneratorExp | ast.ListComp)
    name, hole = PARAMETERS.get(word, ("", ""))
    given: ast.expr | None = node.args[1] if len(node.args) == 2 and word is sum else None
    for keyword in node.keywords:
        if keyword.arg != name or given is not None:
            raise c.error("arguments", f"{word.__name__}() of a generator has no {keyword.arg!r}", node, help=f"it has {name!r}" if name else "")
        given = keyword.value
    if len(node.args) > 1 + (word is sum):
        raise c.error("arguments", f"{word.__name__}() takes a generator alone", node)
    made = c.unit.generators.get(node)
    if made is None:
        made = c.unit.generators[node] = _function(word, generator, given, hole, node)
    outer = c.frame.source
    source = Source(outer.function, made, outer.text, made.name)
    return functions.inline(c, Closure(source, c.frame, {}), {}, node, shown=False)


def _function(word: Any, generator: ast.GeneratorExp | ast.ListComp, given: ast.expr | None, hole: str, node: ast.Call) -> ast.FunctionDef:
    before, each, after = FORMS[word]
    if hole == "DEFAULT" and given is None:
        after = EMPTY
    holes = {"ELT": generator.elt, hole: given if given is not None else ast.Constant(0)}
    body = _filled(each, holes, node)
    for one in reversed(generator.generators):
        for test in reversed(one.ifs):
            body = [ast.copy_location(ast.If(test, body, []), node)]
        body = [ast.copy_location(ast.For(one.target, one.iter, body, []), node)]
    made = ast.parse(f"def {word.__name__}(): pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = [*_filled(before, holes, node), *body, *_filled(after, holes, node)]
    for part in ast.walk(made):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, node)
    return ast.copy_location(made, node)


def _filled(text: str, holes: dict[str, ast.expr], node: ast.Call) -> list[ast.stmt]:
    """Statements, with expressions of the user in their holes and names that no user has."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            if name.id in holes:
                return copy.copy(holes[name.id])
            return ast.Name(f" {name.id}" if name.id.startswith("_") else name.id, name.ctx)

    made = ast.parse(text).body
    for part in (p for one in made for p in ast.walk(one) if hasattr(p, "lineno")):
        ast.copy_location(part, node)
    return [Fill().visit(one) for one in made]
