"""Calls: what is called decides. Functions that the language knows stand in `callables`, by the objects themselves, never by
how they are spelt; all else that can be called is of one of a few classes."""

from __future__ import annotations

import ast
import enum
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, NoReturn

from ..dsl import globals as globals_
from ..dsl import maps as decl
from ..dsl import memory as dsl_memory
from ..dsl.helpers import Helper
from ..dsl.hooks import Func, Iterator, Program
from ..dsl.kernel import KernelFunction
from ..dsl.layout import Layout, StructType
from ..tree.kinds import I64, POISON, Choice, Const, Int, is_maybe, number
from ..tree.nodes import Cast, Expr
from . import arith, callables, casts, functions, generators, helpers, instead, iterators, kfuncs, maps, methods
from .choosing import choose
from .context import Checker, Closure
from .given import arguments, positional


def call(c: Checker, node: ast.Call) -> Expr:
    """Check a call."""
    func = node.func
    if isinstance(func, ast.Attribute):
        return methods.call(c, func, node)
    if isinstance(func, ast.Subscript):
        owner = c.expr(func.value)
        map = maps.of(c, owner, func)
        if map is not None and isinstance(map.decl, decl.ProgArray):
            index = c.expr(func.slice)
            return maps.tail_call(c, map, index, arguments(c, node).values, node)
    return call_value(c, c.expr(func), node)


def call_value(c: Checker, callee: Expr, node: ast.Call) -> Expr:
    """What an expression gave is called."""
    kind = callee.kind
    if isinstance(kind, Choice):
        which = c.hold(Cast(callee.span, Int(I64, 0, len(kind.options) - 1), callee), "$which")
        return choose(c, which, kind.options, lambda o: call_object(c, o.value, node), node)
    if kind == POISON:
        return callee
    if is_maybe(kind):
        raise arith.may_be_none(c, callee, node.func)
    if not isinstance(kind, Const):
        raise c.mismatch("a function can be called", kind, node)
    c.drop(callee)
    return call_object(c, kind.value, node)


def call_object(c: Checker, obj: Any, node: ast.Call) -> Expr:
    """Call something that is known now."""
    if generators.taken(obj, node):
        return generators.call(c, obj, node)
    row = callables.function(obj)
    if row is not None:
        if row.form:
            return row.check(c, node)
        args = arguments(c, node)
        name = str(getattr(obj, "__name__", None) or getattr(obj, "name", obj))
        return row.check(c, row.bound(c, name, args.values, args.named, node), node)
    for kind, check in CLASSES:
        if isinstance(obj, kind):
            return check(c, obj, node)
    if _is_type(obj):
        return _type(c, obj, node)
    if callable(obj):
        c.unsupported(f"calling {getattr(obj, '__name__', obj)!r}", node, instead.of_call(obj))
    raise c.mismatch("a function can be called", Const(obj), node)


# --- what can be called, by its class ------------------------------------------------------------------------------------


def _function(c: Checker, obj: Any, node: ast.Call) -> Expr:
    """A function of the program's."""
    if getattr(obj, "__module__", None) in sys.stdlib_module_names:
        c.unsupported(f"calling {obj.__name__!r}", node, instead.of_call(obj))
    args = arguments(c, node)
    return functions.call(c, obj, args.values, args.named, node)


def _method(c: Checker, obj: MethodType, node: ast.Call) -> Expr:
    """A function with the object that it is called of, which is a constant here."""
    if not isinstance(obj.__func__, FunctionType) or obj.__module__ in sys.stdlib_module_names:
        c.unsupported(f"calling {obj.__name__!r}", node, instead.of_call(obj))
    args = arguments(c, node)
    return functions.call(c, obj.__func__, [c.lit(obj.__self__, node), *args.values], args.named, node)


def _is_type(obj: Any) -> bool:
    return isinstance(obj, Layout) or isinstance(getattr(obj, "__bpf_layout__", None), Layout) or isinstance(obj, type) and hasattr(obj, "_type_")


def _type(c: Checker, obj: Any, node: ast.Call) -> Expr:
    """A type of the language, or of ctypes."""
    layout = c.unit.resolved(c, obj if isinstance(obj, Layout) else dsl_memory.layout_of(obj), node.func)
    if isinstance(layout, StructType):
        args = arguments(c, node)
        return casts.struct(c, layout, args.values, args.named, node)
    return casts.cast(c, layout, positional(c, node), node)


def _enum(c: Checker, obj: enum.EnumMeta, node: ast.Call) -> Expr:
    """An IntEnum's class, of a number: the number."""
    args = positional(c, node)
    if len(args) != 1 or number(args[0].kind) is None:
        c.unsupported(f"calling {obj.__name__!r}", node, instead.of_call(obj))
    return arith.integer(c, args[0], node)


def _declaration(c: Checker, obj: Any, node: ast.Call) -> NoReturn:
    """A map or a global variable, made in a program."""
    what = ast.unparse(node.func).split("[")[0].split(".")[-1]
    raise c.error("unsupported", f"a {what} cannot be made in a program", node,
                  help=f"declare it at module level, 'name = {ast.unparse(node.func)}(…)', and use it here by its name")


def _program(c: Checker, obj: Program[..., Any], node: ast.Call) -> NoReturn:
    raise c.error("unsupported", f"{obj.name} is a program: the kernel calls it", node,
                  help="share code through a plain function, or tail-call through a ProgArray")


class _Declares(type):
    """Is it what makes a map or a variable?"""

    def __instancecheck__(cls, obj: object) -> bool:
        return getattr(obj, "__module__", "") in (decl.__name__, globals_.__name__) and not isinstance(obj, Layout)


class _Declaration(metaclass=_Declares):
    """Classes of maps and variables, with their types or without."""


CLASSES: tuple[tuple[type | tuple[type, ...], Callable[[Checker, Any, ast.Call], Expr]], ...] = (
    (_Declaration, _declaration), ((Closure, Func, FunctionType), _function), (MethodType, _method),
    (KernelFunction, kfuncs.call), (Iterator, iterators.begin), (Helper, helpers.call), (enum.EnumMeta, _enum), (Program, _program),
)
