"""Functions of the program that the kernel calls later: by timers and work queues that stand in map values."""

from __future__ import annotations

import ast

from ..dsl import maps as decl
from ..dsl.kernel import KernelFunction
from ..errors import CompileError
from ..tree.kinds import I64, NONE, Const, Int, Origin, Ptr, rep
from ..tree.nodes import Expr, FuncRef, Function, Get, Local, MapRef, Number, Return
from ..uapi.enums import TimerFlag
from . import arith, functions, gate, helpers, kfuncs, mapuse, memory, results
from .binding import bind
from .context import Checker, Closure, Frame, plain_function
from .source import Source

CLOCK_MONOTONIC = 1
STATUS = Int.of(I64)


def start_timer(c: Checker, timer: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`v.timer.start(ns, callback, absolute, pinned)`: 0, or a negative errno."""
    there = c.hold(timer, "timer")
    ns = c.hold(arith.integer(c, args[0], node), "ns")
    flags = sum(flag for at, flag in ((2, TimerFlag.ABS), (3, TimerFlag.CPU_PIN)) if len(args) > at and _said(c, args[at], node))
    if flags & TimerFlag.ABS:
        c.unit.need(c, "5.16", "a timer that is started at a time", node)
    if flags & TimerFlag.CPU_PIN:
        c.unit.need(c, "6.7", "a timer that stays on its CPU", node)
    if len(args) > 1 and args[1].kind != NONE:
        map = _map_of(c, timer, "timer", node)
        function = _callback(c, args[1], map, False, node)
        c.drop(helpers.emit_call(c, "timer_init", (there, _ref(c, map, node), Number(c.span(node), CLOCK_MONOTONIC)), STATUS, node))
        c.drop(helpers.emit_call(c, "timer_set_callback", (there, function), STATUS, node))
    return helpers.emit_call(c, "timer_start", (there, ns, Number(c.span(node), flags)), STATUS, node)


def cancel_timer(c: Checker, timer: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`v.timer.cancel()`: 1 if it was started, 0 if not, or a negative errno."""
    return helpers.emit_call(c, "timer_cancel", (timer,), STATUS, node)


def start_work(c: Checker, work: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`v.work.start(callback)`: 0, or a negative errno."""
    there, none = c.hold(work, "work"), Number(c.span(node), 0)
    if args and args[0].kind != NONE:
        map = _map_of(c, work, "work queue", node)
        function = _callback(c, args[0], map, True, node)
        for name, words in (("bpf_wq_init", (there, _ref(c, map, node), none)), ("bpf_wq_set_callback_impl", (there, function, none, none))):
            c.drop(kfuncs.emit(c, kfuncs.signature(c, KernelFunction(name), node), words, node))
    return kfuncs.emit(c, kfuncs.signature(c, KernelFunction("bpf_wq_start"), node), (there, none), node)


def _said(c: Checker, value: Expr, node: ast.AST) -> bool:
    if value.kind == NONE:  # left out
        return False
    if not isinstance(value.kind, Const) or not isinstance(value.kind.value, bool):
        raise c.mismatch("True or False is needed here", value.kind, node)
    return value.kind.value


# --- the map that it stands in -------------------------------------------------------------------------------------------


def _map_of(c: Checker, place: Expr, what: str, node: ast.AST) -> decl.Map:
    assert isinstance(place.kind, Ptr)
    roots = {o.root for o in place.kind.origin}
    known = {map for _, map in c.unit.maps}
    map = roots.pop() if len(roots) == 1 else None
    if not isinstance(map, decl.Map) or map not in known:
        raise c.error("unsupported", f"a {what} of which it is not known here in which map it stands", node,
                      help="start it where the entry was looked up, or in a plain function that is given the entry")
    return map


def _ref(c: Checker, map: decl.Map, node: ast.AST) -> Expr:
    return MapRef(c.span(node), Ptr(None, "map"), map)


# --- the callback ------------------------------------------------------------------------------------------------------


def _callback(c: Checker, value: Expr, map: decl.Map, sleeps: bool, node: ast.AST) -> Expr:
    """The address of the function, checked for the entries of the map. It outlives the program: of what is around it, it
    sees the maps, the globals and the constants."""
    source = _source(c, value, node)
    key = source.node, "callback", map, sleeps, c.unit.prog_type(c.hook)
    instance = c.unit.instances.get(key)
    if instance is None:
        span = c.span(node)
        c.unit.call_sites.append((span, c.frame.source.name))
        around = c.unit.active, c.unit.inlining, c.unit.diagnostics
        try:
            c.unit.active, c.unit.inlining, c.unit.diagnostics = [], [], []
            inner = Checker(c.unit, Function(source.name, source.span(source.node), "callback"), Frame(source))
            inner.hook, inner.sleeps = c.hook, sleeps
            instance = c.unit.instances[key] = results.Instance(inner.function, inner.effects)  # it may start itself again
            instance.diagnostics = c.unit.diagnostics
            _body(inner, source, map)
        finally:
            c.unit.active, c.unit.inlining, c.unit.diagnostics = around
            c.unit.call_sites.pop()
    c.unit.report_all(instance.diagnostics)
    gate.again(c, instance.effects.callees, node)
    mapuse.again(c, instance.effects.maps, node)
    return FuncRef(c.span(node), Ptr(None, "func"), instance.function)


def _source(c: Checker, value: Expr, node: ast.AST) -> Source:
    callee = value.kind.value if isinstance(value.kind, Const) else None
    if not isinstance(callee, Closure):
        if not callable(callee):
            raise c.mismatch("a function is needed here", value.kind, node)
        return c.unit.sources.of(plain_function(callee))
    for frame in functions.captured(c, callee):
        names = {n.id for n in ast.walk(callee.source.node) if isinstance(n, ast.Name)}
        seen = sorted(names & c.unit.locals_of(frame.source) - c.unit.locals_of(callee.source))
        raise c.error("outlives", f"{callee.source.name if seen else 'this function'} is called when {frame.source.name}() has ended, and uses "
                      f"its variable{'s' * (len(seen) != 1)} {', '.join(map(repr, seen))}", node,
                      help="keep what it needs in the entry: it gets its key and value")
    return callee.source


def _body(c: Checker, source: Source, map: decl.Map) -> None:
    assert map.key is not None and map.value is not None
    node = source.node
    origin = frozenset((Origin(map),))
    kinds = (Ptr(None, "map"), Ptr(map.key, "value", writable=False), Ptr(map.value, "value", origin=origin))
    c.function.params = [Local(name, rep(kind)) for name, kind in zip(("map", "key", "value"), kinds)]
    key, value = (Get(c.span(node), kind, local) for kind, local in zip(kinds[1:], c.function.params[1:]))
    try:
        found = memory.load(c, memory.deref(c, key, node), node)
        bound = bind(c, source, [found, value], {}, node, {})
        c.drop(functions.inline(c, Closure(source, None, {}), bound, node, shown=False))
    except CompileError as error:
        c.unit.report(error)
    c.function.body.append(Return(c.span(node), Number(c.span(node), 0)))
    c.function.result = Int.of(I64)
