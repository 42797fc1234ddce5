"""Arguments to parameters, as Python does it, and what annotations make of them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..dsl.ints import IntType
from ..dsl.layout import Layout, OptionalType, PtrType, StructType
from ..tree.kinds import Agg, NONE, POISON, Ptr, Tuple, is_maybe, is_string
from ..tree.nodes import Cast, Expr, MakeTuple
from . import arith, fitting, keeping
from .context import Checker
from .source import Source


def _defaults(source: Source) -> dict[str, Any]:
    function, a = source.function, source.node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    return dict(zip(reversed(names), reversed(function.__defaults__ or ()))) | (function.__kwdefaults__ or {})


def bind(c: Checker, source: Source, args: list[Expr], named: Mapping[str, Expr], node: ast.AST,
         defaults: Mapping[str, Expr]) -> dict[str, Expr]:
    """Arguments to parameters, as Python does it."""
    a = source.node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    bound: dict[str, Expr] = dict(zip(names, args))
    if a.kwarg:
        raise c.error("unsupported", f"{source.name}() takes a variable number of keyword arguments", node)
    wanted = [*names, *(p.arg for p in a.kwonlyargs)]
    for name, value in named.items():
        if name not in wanted or name in bound:
            raise c.error("arguments", f"{source.name}() has no parameter {name!r} left", node)
        bound[name] = value
    for name in wanted:
        if name not in bound and name in defaults:
            bound[name] = defaults[name]
    missing = [n for n in wanted if n not in bound]
    if missing or len(args) > len(names) and not a.vararg:
        listed = f" ({', '.join(names)})" if names else ""
        raise c.error("arguments", f"{source.name}() takes {len(names)} argument{'s' * (len(names) != 1)}{listed}, "
                      f"{len(args)} given", node)
    result = {name: bound[name] for name in wanted}
    if a.vararg:
        rest = tuple(args[len(names) :])
        result[a.vararg.arg] = MakeTuple(c.span(node), Tuple(tuple(r.kind for r in rest)), rest)
    return result


def declared_parameters(c: Checker, source: Source) -> dict[str, Layout]:
    """The declared parameters of a function."""
    found = {}
    a = source.node.args
    for p in (*a.posonlyargs, *a.args, *a.kwonlyargs):
        layout = c.unit.annotation(c, p.annotation, source, text=True) if p.annotation else None
        if layout is not None:
            found[p.arg] = layout
    return found


def declared(c: Checker, value: Expr, layout: Layout, node: ast.AST, name: str = "") -> Expr:
    """A value as an annotated variable or parameter holds it."""
    kind = value.kind
    if kind == POISON:
        return value
    if isinstance(layout, OptionalType):
        if is_maybe(kind):
            return value
        there = declared(c, value, layout.some, node, name)
        return Cast(there.span, there.kind._replace(null=True), there) if isinstance(there.kind, Ptr) else there
    elif is_maybe(kind) and kind != NONE:
        raise arith.may_be_none(c, value)
    if isinstance(layout, IntType):
        return arith.wrap(c, fitting.number_for(c, value, layout, node), layout, node)
    if isinstance(layout, PtrType):
        return _declared_pointer(c, value, layout, node)
    if isinstance(kind, Ptr) and kind.target == layout and not is_string(layout):
        return value
    return keeping.placed(c, fitting.fitted(c, value, layout, node), layout, node, name)


def _declared_pointer(c: Checker, value: Expr, layout: PtrType, node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Agg) and kind.layout == layout.target:
        return keeping.placed(c, value, kind.layout, node)
    if not isinstance(kind, Ptr):
        wanted = layout.target.name if layout.target else "void"
        raise c.mismatch(f"a pointer to {wanted} is needed here", kind, value.span,
                         "what may be None is annotated so: 'Ptr[T] | None'" if kind == NONE else "")
    if layout.target is None or kind.target == layout.target:
        return value
    if kind.target is None or layout.target is not None and _same_kernel_type(kind.target, layout.target):
        return Cast(value.span, kind._replace(target=layout.target), value)
    raise c.mismatch(f"a pointer to {layout.target.name} is needed here", kind, value.span)


def _same_kernel_type(a: Layout | None, b: Layout | None) -> bool:
    return isinstance(a, StructType) and isinstance(b, StructType) and (a.core or b.core) and a.name.split("___")[0] == b.name.split("___")[0]
