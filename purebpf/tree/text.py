"""The tree as text: what the checker made of a program, for people and filetests.

    program prog(ctx) -> i64                  a function, its parameters, its result
      n := 0 : u32 0..0                       a variable set: the value, its kind
      if Compare eq (n, 1 : i64 1..1):        statements that hold others
        return n

An expression is its class with what it consists of; what it is comes behind ' : ' where that is not to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, assert_never, cast

from ..dsl.layout import FuncType, Layout
from ..dsl.maps import Map
from . import nodes as n
from .kinds import Agg, Broken, Choice, Const, Context, Cursor, Int, Kind, Optional, Ptr, Text, Tuple
from .walk import walk

INDENT = "  "
_SKIPPED = ("span", "kind", "loop", "moves", "carried", "ways", "proto", "written", "pure", "writes")


def print_tree(functions: Iterable[n.Function]) -> str:
    """Functions with all that they call, each once, in order of first sight."""
    todo = list(functions)
    seen: dict[n.Function, None] = dict.fromkeys(todo)
    for function in todo:  # grows
        for stmt in function.body:
            for one in walk(stmt):
                if isinstance(one, n.Call) and one.function not in seen:
                    seen[one.function] = None
                    todo.append(one.function)
    return "\n\n".join("\n".join(_function(f)) for f in todo) + "\n"


def _function(f: n.Function) -> Iterator[str]:
    params = ", ".join(_local(p) for p in f.params)
    default = f" default {f.default}" if f.role == "program" else ""
    yield f"{f.role} {f.name}({params}) -> {kind(f.result)}{default}"
    yield from _block(f.body)


def _local(local: n.Local) -> str:
    return f"{local.name}: {', '.join(local.rep)}" if local.rep else local.name


# --- kinds -----------------------------------------------------------------------------------------------------------


def kind(k: Kind) -> str:
    """A kind, with what is known of it."""
    match k:
        case Const(value):
            return _constant(value)
        case Int(type=type, lo=lo, hi=hi, seen=seen):
            bounds = "" if (lo, hi) == (type.lo, type.hi) else f" {lo}..{hi}"
            return f"{type.name}{bounds}{'!' * seen}"
        case Ptr(target=target, region=region, access=access, null=null, trust=trust):
            where = region or access
            return f"ptr.{where}{'.' + trust if trust else ''}[{target.name if target else ''}]{'?' * null}"
        case Text(user=user):
            return "text.user" if user else "text.kernel"
        case Agg(layout=layout):
            return layout.name
        case Optional(some=some):
            return f"{kind(some)}?"
        case Tuple(items=items):
            return f"({', '.join(map(kind, items))})"
        case Cursor(name=name):
            return f"cursor {name}"
        case Context(name=name):
            return f"context {name}"
        case Choice(options=options):
            return " | ".join(map(kind, options))
        case Broken(code=code):
            return f"broken {code}".strip()
        case _:
            assert_never(k)


def _constant(value: Any) -> str:
    return repr(value) if isinstance(value, int | str | bytes | tuple | list) or value is None else \
        str(getattr(value, "__name__", None) or type(value).__name__)


# --- statements ------------------------------------------------------------------------------------------------------


def _block(body: Iterable[n.Stmt]) -> Iterator[str]:
    for stmt in body:
        for line in _statement(stmt):
            yield INDENT + line


def _statement(node: n.Stmt) -> Iterator[str]:
    stmt = cast("n.Statement", node)
    match stmt:
        case n.Set(local=local, value=value):
            yield from _lines(f"{local.name} := ", value)
        case n.Eval(value=value):
            yield from _lines("", value)
        case n.Store(place=place, value=value):
            yield from _lines(f"{_short(place)} = ", value)
        case n.AtomicOp(word=word, place=place, value=value):
            yield f"atomic {word} {_short(place)}, {_short(value)}"
        case n.If(test=test, body=body, orelse=orelse):
            yield f"if {_short(test)}:"
            yield from _block(body)
            if orelse:
                yield "else:"
                yield from _block(orelse)
        case n.Loop():
            yield from _loop(stmt)
        case n.Each(helper=helper, args=args, params=params, body=body, orelse=orelse):
            yield f"each {helper}({', '.join(map(_short, args))}) -> {', '.join(p.name for p in params)}:"
            yield from _block(body)
            if orelse:
                yield "else:"
                yield from _block(orelse)
        case n.Block(body=body):
            yield "block:"
            yield from _block(body)
        case n.Break(moves=moves):
            yield from _moves(moves)
            yield "break"
        case n.Continue(moves=moves):
            yield from _moves(moves)
            yield "continue"
        case n.Return(value=value):
            yield from _lines("return ", value)
        case n.Guard(test=test):
            yield f"guard {_short(test)}"
        case n.Scope(body=body, close=close):
            yield "scope:"
            yield from _block(body)
            yield "close:"
            yield from _block(close)
        case _:
            assert_never(stmt)


def _loop(loop: n.Loop) -> Iterator[str]:
    words = [w for w in ("once", "granted", "walked") if getattr(loop, w)]
    yield f"loop{''.join(' ' + w for w in words)} while {_short(loop.test) if loop.test is not None else 'True'}:"
    yield from _block(loop.body)
    if loop.step:
        yield "step:"
        yield from _block(loop.step)
    if loop.orelse:
        yield "else:"
        yield from _block(loop.orelse)


def _moves(moves: Iterable[n.Stmt]) -> Iterator[str]:
    for move in moves:
        yield from _statement(move)


def _lines(head: str, value: n.Expr) -> Iterator[str]:
    """`head` and a value; what must happen before it stands on lines of its own."""
    while isinstance(value, n.Seq):
        for stmt in value.body:
            yield from _statement(stmt)
        value = value.value
    yield head + _expr(value)


# --- expressions -----------------------------------------------------------------------------------------------------


def _expr(node: n.Expr) -> str:
    shown = kind(node.kind)
    text = _short(node)
    return text if isinstance(node, n.Lit) or text == shown else f"{text} : {shown}"


def _short(node: n.Expr) -> str:
    """An expression without its own kind."""
    match node:
        case n.Lit(kind=of):
            return kind(of)
        case n.Number(value=value):
            return str(value)
        case n.Get(local=local):
            return local.name
        case n.Seq(body=body, value=value):
            inside = "; ".join(line for stmt in body for line in _statement(stmt))
            return f"({inside}; {_short(value)})"
        case n.Member(place=place, field=field):
            return f"{_short(place)}.{field.name or '<unnamed>'}"
        case n.Deref(pointer=pointer):
            return f"*{_short(pointer)}"
        case n.Load(place=place):
            return f"load {_short(place)}"
        case n.GlobalPlace(name=name):
            return f"@{name}"
        case n.SlotPlace(slot=slot):
            return f"${slot.name or 'tmp'}"
        case _:
            parts = [text for cls in type(node).__mro__ for name in getattr(cls, "__slots__", ())
                     if name not in _SKIPPED and (text := _part(getattr(node, name, None)))]
            return f"{type(node).__name__}({', '.join(parts)})"


def _part(value: object) -> str:
    match value:
        case n.Expr():
            return _short(value)
        case n.Local() | n.Slot():
            return value.name or "tmp"
        case n.Function():
            return value.name
        case FuncType() | None:
            return ""
        case Layout():
            return value.name
        case tuple() | list():
            return f"[{', '.join(_part(v) for v in value)}]"
        case bool() | int() | str() | bytes():
            return repr(value) if not isinstance(value, str) else value
        case Map():
            return value.map_type.lower()
        case _:
            return str(getattr(value, "name", "") or type(value).__name__)
