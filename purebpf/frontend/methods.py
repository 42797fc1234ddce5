"""Methods: `owner.name(…)`. What the owner is decides; what its methods take stands in `callables`."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from ..dsl.fields import Kptr
from ..dsl.layout import KptrType, StructType
from ..tree.kinds import POISON, Agg, Const, Context, Cursor, Ptr, Resource, an, describe, is_maybe, number
from ..tree.nodes import Expr, Lit
from . import arith, callables, fields, functions, instead, maps, memory, strings
from .choosing import choose
from .context import Checker
from .given import arguments, positional
from .names import near


def call(c: Checker, func: ast.Attribute, node: ast.Call) -> Expr:
    """`owner.name(…)`."""
    place = c.place(func.value)
    if isinstance(place.kind, Ptr) and isinstance(place.kind.target, KptrType) and memory.is_place(place) and callables.method((Kptr,), func.attr):
        return _listed(c, (Kptr,), place, func.attr, "a Kptr", "Kptr.", node)
    owner = memory.base(c, place, func.value)
    kind, name = owner.kind, func.attr
    if isinstance(kind, Const | Cursor):
        c.drop(owner)
    if kind == POISON:
        return owner
    map = maps.of(c, owner, func.value) if not (isinstance(kind, Ptr) and kind.null) else None
    if map is not None:
        return of_map(c, map, name, node)
    several = maps.choices(c, owner, func)
    if several is not None:
        return choose(c, several[0], several[1], lambda m: of_map(c, m, name, node), node)
    if isinstance(kind, Const):
        return _of_constant(c, owner, kind.value, func, node)
    if isinstance(kind, Cursor):
        return _listed(c, (Cursor,), kind, name, "the packet", "packet.", node)
    if is_maybe(kind):
        raise arith.may_be_none(c, owner, func.value)
    if isinstance(kind, Context):
        return _listed(c, (Context,), owner, name, "this context", "ctx.", node)
    return _of_value(c, owner, name, node)


def _listed(c: Checker, owners: tuple[type, ...], owner: Any, name: str, what: str, prefix: str, node: ast.Call) -> Expr:
    """A method of the table."""
    row = callables.method(owners, name)
    if row is None:
        names = callables.methods(owners)
        raise c.error("undefined-name", f"{what} has no method {name!r} in a program", node,
                      help=near(name, names) or (f"it has {', '.join(names)}" if names else ""))
    args = arguments(c, node)
    return row.check(c, owner, row.bound(c, prefix + name, args.values, args.named, node), node)


def of_map(c: Checker, map: maps.MapOf, name: str, node: ast.Call) -> Expr:
    """`m.name(…)`."""
    owners, title = type(map.decl).__mro__, type(map.decl).__name__
    row = callables.method(owners, name)
    if row is None:
        names = callables.methods(owners)
        raise c.error("undefined-name", f"{an(title)} has no {name!r} in a program", node,
                      help=instead.of_method(name, names) or near(name, names) or f"it has {', '.join(names)}")
    args = arguments(c, node)
    many = len(args.values) + len(args.named) > 1

    def held(value: Expr) -> Expr:
        acts = many and not isinstance(value, Lit) and arith.acts(value) and not isinstance(value.kind, Agg)
        return c.hold(value, "$arg") if acts else value

    named = {word: held(value) for word, value in args.named.items()}
    return row.check(c, map, row.bound(c, f"{title}.{name}", [held(a) for a in args.values], named, node), node)


def _of_value(c: Checker, owner: Expr, name: str, node: ast.Call) -> Expr:
    """A method of a number, text, or a struct that is there."""
    kind = owner.kind
    if isinstance(kind, Ptr) and isinstance(kind.target, StructType) and fields.OWNERS.get(kind.target) in fields.LOCKS:
        raise c.error("undefined-name", f"a {fields.OWNERS[kind.target].__name__} has no {name!r} in a program", node,
                      help=f"take it by 'with {ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else 'lock'}:'")
    if isinstance(kind, Ptr) and isinstance(kind.target, StructType) and kind.target in fields.OWNERS:
        kept = fields.OWNERS[kind.target]
        return _listed(c, (kept,), owner, name, f"a {kept.__name__}", f"{kept.__name__}.", node)
    if isinstance(kind, Ptr) and isinstance(kind.target, StructType):
        method = getattr(kind.target.cls, name, None) if kind.target.cls is not None else None
        field = kind.target.path(name)
        if isinstance(method, FunctionType) and not field:
            args = arguments(c, node)
            return functions.call(c, method, [owner, *args.values], args.named, node)
        if not field and not _is_record(kind, name):
            raise memory.no_field(c, kind.target, name, node.func)
    if isinstance(kind, Ptr) and _is_record(kind, name):
        return _listed(c, (Resource,), owner, name, "a record", "", node)
    value = memory.load(c, owner, node) if memory.is_place(owner) else owner
    if strings.is_text(value.kind):
        return _listed(c, (str,), value, name, describe(value.kind), "", node)
    if number(value.kind) is not None and callables.method((int,), name) is not None:
        return _listed(c, (int,), arith.integer(c, value, node), name, describe(value.kind), "", node)
    raise c.error("undefined-name", f"{describe(value.kind)} has no method {name!r} in a program", node)


def _is_record(kind: Ptr, name: str) -> bool:
    """A record of a ring buffer that is still ours, and one of its methods."""
    return kind.resource is not None and kind.resource.keep is not None and callables.method((Resource,), name) is not None


def _of_constant(c: Checker, owner: Expr, obj: Any, func: ast.Attribute, node: ast.Call) -> Expr:
    """`module.function(…)`, `Type.method(…)`, or a method of a constant."""
    name = func.attr
    if obj is None:
        raise c.error("null-pointer", f"this is None: it has no {name!r}", node)
    if isinstance(obj, dict) and name == "get":
        return c.unit.tables.dict_get(c, obj, positional(c, node), node)
    if isinstance(obj, int | str | bytes | tuple | range) and not isinstance(obj, type):
        if isinstance(obj, int) and callables.method((int,), name) is not None:
            return _of_value(c, arith.integer(c, owner, node), name, node)
        args = positional(c, node)
        known = [a.kind.value for a in args if isinstance(a.kind, Const)]
        if len(known) == len(args) and hasattr(obj, name):
            try:
                return c.lit(getattr(obj, name)(*known), node)
            except Exception as error:  # noqa: BLE001 - whatever a constant's own method raises is the user's mistake
                raise c.error("constant", f"this constant cannot be computed: {error}", node) from None
        raise c.error("undefined-name", f"{describe(owner.kind)} has no method {name!r} in a program", node,
                      help='write an f-string: f"{x}"' if name == "format" else near(name, dir(obj)))
    return c.unit.tables.call_value(c, c.unit.tables.attribute(c, owner, func), node)


