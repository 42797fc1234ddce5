"""`in`: a map's keys, ranges, constant collections, arrays, text."""

from __future__ import annotations

import ast

from ..dsl.layout import ArrayType
from ..tree.kinds import Const, Ptr, Tuple
from ..tree.nodes import Expr, Number
from . import arith, library, memory, strings
from .compare import _equal, items_of
from .context import Checker
from .truths import all_of, any_of


def _contains(c: Checker, item: Expr, container: ast.expr, node: ast.AST) -> Expr:
    if isinstance(container, ast.Tuple | ast.List | ast.Set):
        item, elements = c.hold(item, "$item"), [c.expr(e) for e in container.elts]
        if any(map(arith.acts, elements)):
            elements = [c.hold(e, "$element") for e in elements]
        return any_of(c, elements, lambda e: _equal(c, item, e, node), node)
    if arith.acts(held := c.expr(container)):
        item, held = c.hold(item, "$item"), c.happened(held)
    kind = held.kind
    found = c.unit.tables.member(c, held, item, node)
    if found is not None:
        return found
    if isinstance(kind, Const) and isinstance(kind.value, tuple | list | set | frozenset | dict):
        item = c.hold(item, "$item")
        return any_of(c, kind.value, lambda v: _equal(c, item, c.lit(v, node), node), node)
    if isinstance(kind, Const) and isinstance(kind.value, range):
        return _in_range(c, arith.integer(c, item, node), kind.value, node)
    if isinstance(kind, Tuple):
        item = c.hold(item, "$item")
        items = items_of(c, held) or []
        return any_of(c, items, lambda v: _equal(c, item, v, node), node)
    if strings.is_text(kind) or isinstance(kind, Const) and isinstance(kind.value, str | bytes):
        return library.contains(c, held, item, node)
    if isinstance(kind, Ptr) and isinstance(kind.target, ArrayType) and kind.target.count <= 256:
        array, item = c.hold(held, "$array"), c.hold(item, "$item")
        places = (memory.element(c, memory.deref(c, array, node), Number(c.span(node), i), node) for i in range(kind.target.count))
        return any_of(c, places, lambda p: _equal(c, memory.load(c, p, node), item, node), node)
    raise c.mismatch("'in' asks a map, an array or a constant collection", kind, node)


def _in_range(c: Checker, item: Expr, r: range, node: ast.AST) -> Expr:
    """Membership in a range is arithmetic: between the bounds, and a multiple of the step from the start."""
    if not r:
        return c.lit(False, node)
    item = c.hold(item, "$item")
    low, high = (r[0], r[-1]) if r.step > 0 else (r[-1], r[0])
    span = c.span(node)
    tests = [arith.compare(c, "ge", item, Number(span, low), node), arith.compare(c, "le", item, Number(span, high), node)]
    if abs(r.step) != 1:
        offset = arith.integer(c, arith.binary(c, "-", item, Number(span, low), node), node)
        rest = arith.integer(c, arith.binary(c, "%", offset, Number(span, abs(r.step)), node), node)
        tests.append(arith.compare(c, "eq", rest, Number(span, 0), node))
    return all_of(c, tests, node)
