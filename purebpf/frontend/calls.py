"""Calls: what is called decides; one table of callables, keyed by the object itself, never by how it is spelt."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, NamedTuple, NoReturn, TypeVar

from ..dsl import flow as words
from ..dsl import globals as globals_
from ..dsl import maps as decl
from ..dsl import memory as dsl_memory
from ..dsl.helpers import Helper
from ..dsl.hooks import Func, Iterator, Program
from ..dsl.ints import IntType
from ..dsl.kernel import KernelFunction
from ..dsl.layout import ArrayType, Layout, PtrType, StructType
from ..tree.kinds import (
    BOOL, I64, POISON, Agg, Choice, Const, Context, Cursor, Int, Kind, Optional, Ptr, Text, describe, is_maybe, number, rep,
)
from ..tree.nodes import Bits, Cast, Compare, Expr, Lit, Number, Temp
from . import (
    arith, builtins, compare, fitting, functions, generators, helpers, instead, iterators, keeping, kfuncs, library, maps, memory,
    packet, questions, strings, words as meanings,
)
from .context import Checker, Closure
from .names import near


T = TypeVar("T")


class Args(NamedTuple):
    """The arguments of a call, evaluated in order."""

    values: list[Expr]
    named: dict[str, Expr]


def call(c: Checker, node: ast.Call) -> Expr:
    """Check a call."""
    func = node.func
    if isinstance(func, ast.Attribute):
        return _method_call(c, func, node)
    if isinstance(func, ast.Subscript):
        owner = c.expr(func.value)
        map = maps.of(c, owner, func)
        if map is not None and isinstance(map.decl, decl.ProgArray):
            index = c.expr(func.slice)
            return maps.tail_call(c, map, index, arguments(c, node).values, node)
    callee = c.expr(func)
    return call_value(c, callee, node)


def call_value(c: Checker, callee: Expr, node: ast.Call) -> Expr:
    kind = callee.kind
    if isinstance(kind, Choice):
        return _call_choice(c, callee, kind, node)
    if kind == POISON:
        return callee
    if is_maybe(kind):
        raise arith.may_be_none(c, callee, node.func)
    if not isinstance(kind, Const):
        raise c.mismatch("a function can be called", kind, node)
    c.drop(callee)
    return call_object(c, kind.value, node)


def _call_choice(c: Checker, callee: Expr, kind: Choice, node: ast.Call) -> Expr:
    """One of a few functions (or types), which one is known at run time: each is called where it is the one."""
    which = c.hold(Cast(callee.span, Int(I64, 0, len(kind.options) - 1), callee), "$which")
    return choose(c, which, kind.options, lambda o: call_object(c, o.value, node), node)


def choose(c: Checker, which: Expr, options: Sequence[T], make: Callable[[T], Expr], node: ast.AST) -> Expr:
    """The value for the option that `which` says; each is checked on its own path."""
    from ..tree.nodes import If

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


def call_object(c: Checker, obj: Any, node: ast.Call) -> Expr:
    """Call something that is known now."""
    if getattr(obj, "__module__", "") in DECLARATIONS and not isinstance(obj, Layout):
        _declaration(c, node)
    special = SPECIAL.get(obj) if isinstance(obj, _HASHED) else None
    if special is not None:
        return special(c, node)
    if isinstance(obj, FunctionType | MethodType) and obj.__module__ in sys.stdlib_module_names and obj not in builtins.BUILTINS:
        c.unsupported(f"calling {obj.__name__!r}", node, instead.of_call(obj))
    if isinstance(obj, Closure) or isinstance(obj, Func | FunctionType) and obj not in builtins.BUILTINS:
        args = arguments(c, node)
        return functions.call(c, obj, args.values, args.named, node)
    if isinstance(obj, MethodType) and isinstance(obj.__func__, FunctionType):
        args = arguments(c, node)
        return functions.call(c, obj.__func__, [c.lit(obj.__self__, node), *args.values], args.named, node)
    layout = obj if isinstance(obj, Layout) else getattr(obj, "__bpf_layout__", None)
    if isinstance(obj, type) and hasattr(obj, "_type_"):  # a type of ctypes
        layout = dsl_memory.layout_of(obj)
    if isinstance(layout, Layout):
        layout = c.unit.resolved(c, layout, node.func)
    if isinstance(layout, StructType):
        return _struct(c, layout, node)
    if isinstance(obj, KernelFunction):
        return kfuncs.call(c, obj, node)
    if isinstance(obj, Iterator):
        return iterators.begin(c, obj, node)
    if isinstance(obj, Helper):
        return helpers.call(c, obj, node)
    if isinstance(layout, Layout):
        return _cast(c, layout, positional(c, node), node)
    if isinstance(obj, words.Word):
        return meanings.call(c, obj, positional(c, node), node)
    if generators.taken(obj, node):
        return generators.call(c, obj, node)
    row = builtins.BUILTINS.get(obj) if isinstance(obj, _HASHED) else None
    if row is not None:
        values = positional(c, node)
        count(c, getattr(obj, "__name__", str(obj)), values, row.fewest, row.most, node)
        return row.check(c, values, node)
    if isinstance(obj, Program):
        raise c.error("unsupported", f"{obj.name} is a program: the kernel calls it", node,
                      help="share code through a plain function, or tail-call through a ProgArray")
    if callable(obj):
        return _of_constants(c, obj, node)
    raise c.mismatch("a function can be called", Const(obj), node)


DECLARATIONS = (decl.__name__, globals_.__name__)


def _declaration(c: Checker, node: ast.Call) -> NoReturn:
    """A map or a global variable, made in a program."""
    what = ast.unparse(node.func).split("[")[0].split(".")[-1]
    raise c.error("unsupported", f"a {what} cannot be made in a program", node,
                  help=f"declare it at module level, 'name = {ast.unparse(node.func)}(…)', and use it here by its name")


class _Hashable(type):
    def __instancecheck__(cls, obj: object) -> bool:
        return type(obj).__hash__ is not None


class _HASHED(metaclass=_Hashable):
    """Anything that can be looked up in a table."""


def _of_constants(c: Checker, obj: Any, node: ast.Call) -> Expr:
    """Another callable of Python's: with constants it can be called now, as an IntEnum's class is."""
    import enum

    args = positional(c, node)
    if isinstance(obj, enum.EnumMeta) and len(args) == 1 and number(args[0].kind) is not None:
        return arith.integer(c, args[0], node)
    c.unsupported(f"calling {getattr(obj, '__name__', obj)!r}", node, instead.of_call(obj))


def count(c: Checker, name: str, args: list[Expr], fewest: int, most: int, node: ast.AST) -> None:
    if not fewest <= len(args) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}" if most < 99 else f"at least {fewest}"
        raise c.error("arguments", f"{name}() takes {wanted} argument{'s' * (wanted != '1')}, {len(args)} given", node)


# --- types as functions ----------------------------------------------------------------------------------------------


def _struct(c: Checker, layout: StructType, node: ast.Call) -> Expr:
    """`Event(pid=1, …)`: a struct value; a kernel type called with a pointer is that pointer as one to the type."""
    args = arguments(c, node)
    if layout.core and len(args.values) == 1 and not args.named:
        return pointer_cast(c, PtrType(layout), args.values[0], node)
    names = [m.name for m in layout.fields]
    if len(args.values) > len(names):
        raise c.error("arguments", f"{layout.name} has {len(names)} fields, {len(args.values)} values given", node)
    values = dict(zip(names, args.values))
    for name, value in args.named.items():
        if name not in names:
            raise c.error("no-field", f"{layout.name} has no field {name!r}", node, help=near(name, names) or f"it has {', '.join(names)}")
        if name in values:
            raise c.error("arguments", f"{name!r} is given twice", node)
        values[name] = value
    if layout.union and len(values) > 1:
        raise c.error("arguments", f"{layout.name} is a union: it holds one of its members at a time", node, help="give one")
    return fitting.record(c, layout, values, node)


def _cast(c: Checker, layout: Layout, args: list[Expr], node: ast.Call) -> Expr:
    match layout:
        case IntType():
            count(c, layout.name, args, 0, 1, node)
            return _number_cast(c, layout, args[0] if args else c.lit(0, node), node)
        case PtrType():
            count(c, layout.name, args, 1, 1, node)
            return pointer_cast(c, layout, args[0], node)
        case ArrayType():
            count(c, layout.name, args, 0, 1, node)
            value = fitting.fitted(c, args[0], layout, node) if args else fitting.blank(c, layout, node)
            return keeping.placed(c, value, layout, node) if not isinstance(value, Temp) else value
    raise c.error("type-mismatch", f"{layout.name} cannot be called", node)


def _number_cast(c: Checker, layout: IntType, value: Expr, node: ast.Call) -> Expr:
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, int):
        return c.lit(layout(kind.value), node, c.happened(value))
    if isinstance(kind, Ptr | Text):
        if isinstance(kind, Ptr) and isinstance(kind.target, IntType) and kind.region == "value":
            arith.integer(c, value, node.args[0])
        if layout.size < 8:
            text = layout.is_char or isinstance(kind, Text)
            raise c.error("type-mismatch", f"a pointer is 64 bits, {layout.name} has {layout.bits}", node,
                          help="read the text there: 'char[64](p)'" if text else "write 'u64(p)'")
        return Bits(c.span(node), Int.of(layout), value)
    if isinstance(kind, Optional) and number(kind.some) is not None or isinstance(kind, Optional):
        raise arith.may_be_none(c, value, node.args[0])
    return arith.wrap(c, arith.integer(c, value, node), layout, node)


def pointer_cast(c: Checker, layout: PtrType, value: Expr, node: ast.AST) -> Expr:
    """`Ptr[T](x)`: a number as a kernel address, read fault-safely; or another view of the same memory."""
    c.unit.claims.reach(c, layout, node)
    kind = value.kind
    if isinstance(kind, Ptr):
        target = layout.target
        if kind.access == "direct" and kind.target is not None and target is not None and kind.region not in ("kernel", "packet", "packet_meta", "value") \
                and target.size > kind.target.size and not (isinstance(target, StructType) and target.core):
            raise c.error("type-mismatch", f"{target.name} is larger than the {kind.target.name} that is there", node)
        return Cast(value.span, kind._replace(target=target, fresh=False, thing=False), value)
    if isinstance(kind, Text):
        return Bits(value.span, Ptr(layout.target, "", "user" if kind.user else "probe", writable=False), value)
    if isinstance(kind, Optional):
        raise arith.may_be_none(c, value, node)
    address = arith.integer(c, value, node)
    return Bits(value.span, Ptr(layout.target, "", "user" if layout.user else "probe", writable=False), address)


# --- methods ---------------------------------------------------------------------------------------------------------


def _method_call(c: Checker, func: ast.Attribute, node: ast.Call) -> Expr:
    """`owner.name(…)`."""
    owner = memory.base(c, c.place(func.value), func.value)
    kind, name = owner.kind, func.attr
    if isinstance(kind, Const | Cursor):
        c.drop(owner)
    if kind == POISON:
        return owner
    map = maps.of(c, owner, func.value) if not (isinstance(kind, Ptr) and kind.null) else None
    if map is not None:
        return _map_method(c, map, name, node)
    several = maps.choices(c, owner, func)
    if several is not None:
        return choose(c, several[0], several[1], lambda m: _map_method(c, m, name, node), node)
    if isinstance(kind, Const):
        return _constant_method(c, owner, kind.value, func, node)
    if isinstance(kind, Cursor):
        row = packet.METHODS.get(name)
        if row is None:
            raise c.error("undefined-name", f"the packet has no {name!r}", node,
                          help=near(name, packet.METHODS) or f"it has {', '.join(packet.METHODS)}")
        args = positional(c, node)
        count(c, f"packet.{name}", args, row[1], row[1], node)
        return row[0](c, kind, args, node)
    if is_maybe(kind):
        raise arith.may_be_none(c, owner, func.value)
    if isinstance(kind, Context):
        return c.unit.contexts.method(c, owner, name, positional(c, node), node)
    return _value_method(c, owner, name, node)


def _map_method(c: Checker, map: maps.MapOf, name: str, node: ast.Call) -> Expr:
    args = [a if isinstance(a, Lit) else c.hold(a, "$arg") if len(node.args) > 1 and arith.acts(a) and not _placeless(a.kind) else a
            for a in positional(c, node)]
    return maps.method(c, map, name, args, node)


def _placeless(kind: Kind) -> bool:
    from ..tree.kinds import Agg

    return isinstance(kind, Agg)


def _value_method(c: Checker, owner: Expr, name: str, node: ast.Call) -> Expr:
    """A method of a number, text, or a struct that is there."""
    kind = owner.kind
    if isinstance(kind, Ptr) and kind.target is dsl_memory.SpinLock.layout:
        raise c.error("undefined-name", f"a SpinLock has no {name!r} in a program", node,
                      help=f"take it by 'with {ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else 'lock'}:'")
    if isinstance(kind, Ptr) and isinstance(kind.target, StructType):
        method = getattr(kind.target.cls, name, None) if kind.target.cls is not None else None
        field = kind.target.path(name)
        if isinstance(method, FunctionType) and not field:
            args = arguments(c, node)
            return functions.call(c, method, [owner, *args.values], args.named, node)
        if not field and not (name == "discard" and kind.resource is not None):
            raise memory.no_field(c, kind.target, name, node.func)
    if name == "discard" and isinstance(kind, Ptr) and kind.resource is not None and kind.resource.keep is not None:
        return c.unit.tables.discard(c, kind.resource, positional(c, node), node)
    value = memory.load(c, owner, node) if memory.is_place(owner) else owner
    if strings.is_text(value.kind):
        methods = {**strings.METHODS, **library.METHODS}
        if name in methods:
            return methods[name](c, value, positional(c, node), node)
        raise c.error("undefined-name", f"{describe(value.kind)} has no method {name!r} in a program", node,
                      help=near(name, methods) or f"it has {', '.join(methods)}")
    if number(value.kind) is not None and name in builtins.NUMBER_METHODS:
        none = positional(c, node)
        count(c, name, none, 0, 0, node)
        return builtins.NUMBER_METHODS[name](c, arith.integer(c, value, node), node)
    raise c.error("undefined-name", f"{describe(value.kind)} has no method {name!r} in a program", node)


def _constant_method(c: Checker, owner: Expr, obj: Any, func: ast.Attribute, node: ast.Call) -> Expr:
    """`module.function(…)`, `Type.method(…)`, or a method of a constant."""
    name = func.attr
    if obj is None:
        raise c.error("null-pointer", f"this is None: it has no {name!r}", node)
    if isinstance(obj, dict) and name == "get":
        return c.unit.tables.dict_get(c, obj, positional(c, node), node)
    if isinstance(obj, int | str | bytes | tuple | range) and not isinstance(obj, type):
        if isinstance(obj, int) and name in builtins.NUMBER_METHODS:
            return _value_method(c, arith.integer(c, owner, node), name, node)
        args = positional(c, node)
        known = [a.kind.value for a in args if isinstance(a.kind, Const)]
        if len(known) == len(args) and hasattr(obj, name):
            try:
                return c.lit(getattr(obj, name)(*known), node)
            except Exception as error:  # noqa: BLE001 - whatever a constant's own method raises is the user's mistake
                raise c.error("constant", f"this constant cannot be computed: {error}", node) from None
        raise c.error("undefined-name", f"{describe(owner.kind)} has no method {name!r} in a program", node,
                      help='write an f-string: f"{x}"' if name == "format" else near(name, dir(obj)))
    if obj is int and name == "from_bytes":
        return builtins.from_bytes(c, arguments(c, node), node)
    return call_value(c, c.unit.tables.attribute(c, owner, func), node)


# --- special forms: they look at their arguments before these are evaluated -----------------------------------------------


def _addr(c: Checker, node: ast.Call) -> Expr:
    """`addr(x.f)`: a pointer to a field, an element or a variable."""
    if len(node.args) != 1 or node.keywords:
        raise c.error("arguments", f"addr() takes 1 argument, {len(node.args)} given", node)
    place = c.place(node.args[0])
    if not isinstance(place.kind, Ptr) or memory.bit_field(place):
        raise c.mismatch("addr() takes a field, an element or a variable in memory", place.kind, node)
    return Cast(c.span(node), place.kind._replace(thing=False), place)


def _atomic_add(c: Checker, node: ast.Call) -> Expr:
    """`atomic_add(entry.count, n)`: one instruction, for memory that other CPUs change as well."""
    if len(node.args) != 2:
        raise c.error("arguments", f"atomic_add() takes 2 arguments, {len(node.args)} given", node)
    target = node.args[0]
    span = c.span(node)
    if isinstance(target, ast.Subscript):
        map = maps.of(c, c.expr(target.value), target)
        if map is not None and maps.add_entry(c, map, c.expr(target.slice), "+", lambda: c.expr(node.args[1]), node):
            return Lit(span, None)
    place = c.place(target)
    value = c.hold(arith.integer(c, c.expr(node.args[1]), node), "n")
    kind = place.kind
    layout = kind.target if isinstance(kind, Ptr) else None
    if isinstance(kind, Ptr) and isinstance(layout, IntType) and layout.size in (4, 8) and not memory.bit_field(place) \
            and not layout.big_endian and kind.access == "direct" and kind.writable and not kind.null:
        maps.add_in_place(c, place, "+", value, False, node)
        return Lit(span, None)
    raise c.error("type-mismatch", "atomic_add() takes a 32- or 64-bit number in writable memory", node,
                  help="a Global's value, or a field of what 'm.lookup(key)' found")


def _sizeof(c: Checker, node: ast.Call) -> Expr:
    if len(node.args) != 1:
        raise c.error("arguments", f"sizeof() takes 1 argument, {len(node.args)} given", node)
    kind = c.place(node.args[0]).kind
    if isinstance(kind, Ptr) and kind.target is not None:
        return c.lit(kind.target.size, node)
    if isinstance(kind, Const):
        try:
            return c.lit(dsl_memory.sizeof(kind.value), node)
        except TypeError:
            pass
    raise c.mismatch("sizeof() takes a type or memory", kind, node)


def _print(c: Checker, node: ast.Call) -> Expr:
    from . import printing

    return printing.print_(c, node)


def _printk(c: Checker, node: ast.Call) -> Expr:
    from . import printing

    return printing.printk(c, node)


def _loop(c: Checker, node: ast.Call) -> Expr:
    """`bpf.loop(n, f)`."""
    args = positional(c, node)
    count(c, "loop", args, 2, 2, node)
    return c.unit.tables.loop(c, args[0], args[1], node)


SPECIAL: dict[Any, Callable[[Checker, ast.Call], Expr]] = {
    print: _print, words.printk: _printk, words.atomic_add: _atomic_add, words.addr: _addr, dsl_memory.sizeof: _sizeof,
    words.loop: _loop, **questions.SPECIAL,
}
