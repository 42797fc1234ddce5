"""Names and attributes: variables, constants, globals, fields, the context."""

from __future__ import annotations

import ast
import enum
from types import FunctionType, ModuleType
from typing import Any

from ..dsl.globals import Variable
from ..dsl.ints import IntType
from ..dsl.kernel import KernelName
from ..dsl.layout import ArrayType, StructType
from ..tree.kinds import Agg, Broken, Choice, Const, Context, Cursor, I64, Int, Optional, Ptr, Text, Tuple, describe
from ..tree.nodes import At, Cast, Expr, GlobalPlace, Lit, Number
from . import arith, callables, fitting, instead, keeping, memory, strings
from ..uapi import versions
from ..uapi.enums import MapType
from .choosing import choose
from .context import Checker
from .names import near
from .unit import no_type


def _name(c: Checker, node: ast.Name) -> Expr:
    return memory.load(c, _name_place(c, node), node)


def _name_place(c: Checker, node: ast.Name) -> Expr:
    """A name: a variable's value, a global variable's place, or a constant."""
    key = c.find(node.id)
    if key is not None:
        if c.env is not None and key in c.env:
            return c.read(key, node)
        raise c.error("unassigned", f"{node.id!r} is used before it is assigned", node, help=_elsewhere(c, node.id))
    found, obj = c.frame.source.lookup(node.id)
    if not found:
        names = [*(n.split("@")[0] for n in c.env or {} if not n.startswith("$")), *c.frame.source.scope()]
        raise c.error("undefined-name", f"{node.id!r} is not defined", node, help=instead.of_name(node.id) or near(node.id, names))
    return known(c, obj, node.id, node)


def _elsewhere(c: Checker, name: str) -> str:
    """What a name that Python takes for a variable of this function, as it is assigned here, was probably meant to be."""
    frame = c.frame.outer
    while frame is not None:
        if name in c.unit.locals_of(frame.source):
            return f"to change the variable of {frame.source.name}(), begin with 'nonlocal {name}'"
        frame = frame.outer
    found, obj = c.frame.source.lookup(name)
    if found and isinstance(obj, Variable):
        return f"{name!r} is a Global: its value is '{name}.value'"
    if found and isinstance(obj, int):
        return f"a program cannot change Python's variables: declare '{name} = Global[u64]({obj!r})', and write '{name}.value'"
    if found:
        return f"{name!r} of the module is meant? Assigned here, it is a variable of this function: call that otherwise"
    return "give it a value first"


def known(c: Checker, obj: Any, name: str, node: ast.AST) -> Expr:
    """A Python object that the program refers to."""
    if isinstance(obj, Variable):
        return memory.global_place(c, obj, name, node)
    if c.unit.is_map(obj):
        c.unit.map_name(obj, name)
        c.unit.need(c, versions.map_type(getattr(MapType, obj.map_type)), f"a {type(obj).__name__} ({name})", node)
    if isinstance(obj, bool | int | str | bytes) or obj is None:
        return Lit(c.span(node), obj)
    if isinstance(obj, KernelName):
        return _kernel_name(c, obj, node)
    layout = getattr(type(obj), "__bpf_layout__", None)
    if isinstance(layout, StructType) and not isinstance(obj, type):
        return fitting.constant(c, layout, obj, node)
    return Lit(c.span(node), obj)


def _kernel_name(c: Checker, obj: KernelName, node: ast.AST) -> Expr:
    """A name of the kernel's: a type, or an enumerator, which is a number."""
    layout = c.unit.kernel.resolve(obj)
    if layout is not None:
        return Lit(c.span(node), layout)
    value = c.unit.kernel.enumerator(obj.name)
    if value is None:
        raise no_type(c, obj, node)
    return Lit(c.span(node), value)


def _constant(c: Checker, node: ast.Constant) -> Expr:
    if isinstance(node.value, float | complex) or node.value is Ellipsis:
        c.unsupported("a float" if isinstance(node.value, float) else repr(node.value), node,
                      "BPF has integers only: scale the number, as in milliseconds instead of seconds")
    return c.lit(node.value, node)


def _attribute(c: Checker, node: ast.Attribute) -> Expr:
    return memory.load(c, _attribute_place(c, node), node)


def _attribute_place(c: Checker, node: ast.Attribute) -> Expr:
    """`base.name`: a place where it is memory, else a value."""
    return attribute(c, memory.base(c, c.place(node.value), node.value), node)


def attribute(c: Checker, base: Expr, node: ast.Attribute) -> Expr:
    kind, name = base.kind, node.attr
    if isinstance(base, GlobalPlace) and name == "value":
        return At(c.span(node), base.kind, base, Number(c.span(node), 0))  # type: ignore[arg-type]  # a place's kind is a Ptr
    match kind:
        case Ptr():
            return _member(c, base, kind, name, node)
        case Context():
            place = c.unit.contexts.place(c, base, name, node)
            return place if place is not None else c.unit.contexts.attribute(c, base, name, node)
        case Agg(layout=layout):
            placed = keeping.placed(c, base, layout, node)
            assert isinstance(placed.kind, Ptr)
            return _member(c, placed, placed.kind, name, node)
        case Const(obj):
            return _known_attribute(c, obj, name, node)
        case Choice(options=options):
            which = c.hold(Cast(base.span, Int(I64, 0, len(options) - 1), base), "$which")
            return choose(c, which, options, lambda o: attribute(c, Lit(base.span, o.value), node), node)
        case Broken():
            return base
        case Int() | Cursor() | Text() | Tuple():
            raise c.error("type-mismatch", f"{describe(kind)} has no attribute {name!r}", node,
                          help="a number that is an address is followed as a pointer: 'Ptr[T](x)'; of user space 'Ptr[T](bpf.user(x))'" if isinstance(kind, Int) else "")
        case Optional(some=some):
            if isinstance(some, Ptr):
                raise arith.may_be_none(c, base, node.value)
            raise arith.may_be_none(c, base, node.value)


def _member(c: Checker, base: Expr, kind: Ptr, name: str, node: ast.Attribute) -> Expr:
    target = kind.target
    if isinstance(target, StructType):
        path = target.path(name)
        if path:
            return memory.members(c, memory.deref(c, base, node.value), path, node)
    if name == "value":
        place = memory.deref(c, base, node.value)
        assert isinstance(place.kind, Ptr)
        place.kind = place.kind._replace(thing=True)
        return place
    if kind.null:
        raise arith.may_be_none(c, base, node.value)
    owner = str if strings.is_text(kind) else int if isinstance(target, IntType) else None
    if owner is not None and callables.method((owner,), name) is not None:
        raise c.error("type-mismatch", f"{name!r} is a method: call it", node, help=f"'.{name}()'")
    if isinstance(target, ArrayType):
        raise c.error("no-field", f"{target.name} has no field {name!r}", node)
    raise memory.no_field(c, target, name, node)


def _known_attribute(c: Checker, obj: Any, name: str, node: ast.Attribute) -> Expr:
    if obj is None:
        shown = ast.unparse(node.value) if isinstance(node.value, ast.Name) else ""
        raise c.error("null-pointer", f"{repr(shown) if shown else 'this'} is None here: it has no {name!r}", node,
                      help=f"this is where it is None: in 'if {shown} and …' what follows is where it is not" if shown else "")
    if c.unit.is_map(obj):
        raise c.error("type-mismatch", f"{name!r} of a map is a method: call it", node)
    if isinstance(obj, ModuleType | type | enum.Enum) or not isinstance(obj, FunctionType | int | str | bytes):
        try:
            return known(c, getattr(obj, name), name, node)
        except (AttributeError, RuntimeError):
            pass
    if isinstance(obj, int | str | bytes) and hasattr(obj, name):
        value = getattr(obj, name)
        if not callable(value):
            return c.lit(value, node)
    what = getattr(obj, "__name__", None) or type(obj).__name__
    layout = getattr(obj, "__bpf_layout__", None) if isinstance(obj, type) else None
    if isinstance(layout, StructType) and layout.field(name) is not None:
        raise c.error("undefined-name", f"{what!r} is the class: it has no {name!r}", node, help=f"make one of it: '{what}(…)'")
    if isinstance(obj, dict) and name in obj:
        raise c.error("undefined-name", f"{what!r} has no {name!r}", node, help=f"write '{ast.unparse(node.value)}[{name!r}]'")
    raise c.error("undefined-name", f"{what!r} has no {name!r}", node,
                  help=isinstance(obj, ModuleType) and instead.of_name(name) or near(name, dir(obj)))
