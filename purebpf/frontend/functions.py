"""Functions of the user: each is checked once for each combination of argument kinds; a call refers to what came out.

A nested function that reads or writes variables of the function around it has no life of its own: its body is checked
in the place of its call.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

from ..dsl.hooks import Func
from ..dsl.ints import TYPES, IntType
from ..dsl.layout import ArrayType, Layout, OptionalType, PtrType, StructType
from ..errors import CompileError, Diagnostic, Span
from ..tree.convert import coerce
from ..tree.kinds import (
    NONE, POISON, Agg, Broken, Const, Context, Cursor, I64, Int, Kind, Optional, Origin, Ptr, Tuple, U64, describe, fits, join, mapped, narrowed,
    number, rep,
)
from ..tree.nodes import (
    Block, Break, Call, Cast, Deref, Expr, Function, Get, If, Item, Lit, Local, MakeTuple, Maybe, Return, Seq, Set, Slot, SlotPlace, Store,
    Undef,
)
from . import arith, helpers, memory, packet
from .context import Binding, Checker, Closure, Effects, Frame, Target, held, plain_function
from .source import Source

if TYPE_CHECKING:
    from .unit import Unit


class Instance:
    """A function checked for certain argument kinds. `outs`: layouts of the struct values that it gives back through
    memory of the caller. `names`: its parameters, as `effects` calls them."""

    __slots__ = ("function", "result", "effects", "diagnostics", "outs", "names")

    def __init__(self, function: Function, effects: Effects) -> None:
        self.function, self.effects = function, effects
        self.result: Kind = NONE
        self.diagnostics: list[Diagnostic] = []
        self.outs: list[Layout] = []
        self.names: list[str] = []


# --- calls -----------------------------------------------------------------------------------------------------------


def call(c: Checker, callee: Any, args: list[Expr], named: Mapping[str, Expr], node: ast.Call) -> Expr:
    """A user's function is called: `callee` is a function, one marked `@bpf.func`, or a nested one."""
    if isinstance(callee, Closure):
        bound = bind(c, callee.source, args, named, node, callee.defaults)
        return inline(c, callee, bound, node)
    function = plain_function(callee.function if isinstance(callee, Func) else callee)
    source = c.unit.sources.of(function)
    if function in c.unit.active:
        raise c.error("recursion", f"{function.__name__}() calls itself", node, help="BPF has no recursion: write a loop")
    defaults = {n: Lit(c.span(node), v) for n, v in _defaults(source).items()}
    bound = bind(c, source, args, named, node, defaults)
    if not isinstance(callee, Func) and any(_captures(c, v) for v in bound.values()):
        return inline(c, Closure(source, None, {}), bound, node)
    role = "plain" if not isinstance(callee, Func) else "global" if callee.global_ else "subprogram"
    return _call_instance(c, callee, source, role, bound, node)


def _captures(c: Checker, value: Expr) -> bool:
    """Is it a nested function that sees variables of a function being checked?"""
    closure = value.kind.value if isinstance(value.kind, Const) else None
    if not isinstance(closure, Closure) or closure.frame is None:
        return False
    names = {n.id for n in ast.walk(closure.source.node) if isinstance(n, ast.Name)}
    return bool(names & c.unit.locals_of(closure.frame.source))


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
        raise c.error("arguments", f"{source.name}() takes {len(names)} argument{'s' * (len(names) != 1)} ({', '.join(names)}), "
                      f"{len(args)} given", node)
    result = {name: bound[name] for name in wanted}
    if a.vararg:
        rest = tuple(args[len(names) :])
        result[a.vararg.arg] = MakeTuple(c.span(node), Tuple(tuple(r.kind for r in rest)), rest)
    return result


def annotations(c: Checker, source: Source) -> dict[str, Layout]:
    """The declared parameters of a function."""
    found = {}
    a = source.node.args
    for p in (*a.posonlyargs, *a.args, *a.kwonlyargs):
        layout = c.unit.annotation(c, p.annotation, source) if p.annotation else None
        if layout is not None:
            found[p.arg] = layout
    return found


def declared(c: Checker, value: Expr, layout: Layout, node: ast.AST, name: str = "") -> Expr:
    """A value as an annotated variable or parameter holds it."""
    kind = value.kind
    if kind == POISON:
        return value
    if isinstance(layout, OptionalType):
        if kind == NONE or isinstance(kind, Optional) or isinstance(kind, Ptr) and kind.null:
            return value
        layout = layout.some
    if isinstance(layout, IntType):
        if isinstance(kind, Const) and isinstance(kind.value, str | bytes) and layout.is_char and len(kind.value) == 1:
            value = c.lit(ord(kind.value), node)
        return arith.wrap(c, arith.integer(c, value, node), layout, node)
    if isinstance(layout, PtrType):
        return _declared_pointer(c, value, layout, node)
    if isinstance(kind, Ptr) and kind.target == layout and not (kind.null or memory.is_string(layout)):
        return value
    if isinstance(kind, Ptr) and kind.null:
        raise arith.may_be_none(c, value, node)
    return memory.placed(c, memory.fitted(c, value, layout, node), layout, node, name)


def _declared_pointer(c: Checker, value: Expr, layout: PtrType, node: ast.AST) -> Expr:
    kind = value.kind
    if isinstance(kind, Agg) and kind.layout == layout.target:
        return memory.placed(c, value, kind.layout, node)
    if kind == NONE or isinstance(kind, Optional):
        return value
    if not isinstance(kind, Ptr):
        raise c.mismatch(f"a pointer to {layout.target.name if layout.target else 'void'} is needed here", kind, node)
    if layout.target is None or kind.target == layout.target:
        return value
    if kind.target is None or layout.target is not None and _same_kernel_type(kind.target, layout.target):
        return Cast(value.span, kind._replace(target=layout.target), value)
    raise c.mismatch(f"a pointer to {layout.target.name} is needed here", kind, node)


def _same_kernel_type(a: Layout | None, b: Layout | None) -> bool:
    return isinstance(a, StructType) and isinstance(b, StructType) and (a.core or b.core) and a.name.split("___")[0] == b.name.split("___")[0]


# --- instances -------------------------------------------------------------------------------------------------------


def _call_instance(c: Checker, callee: Any, source: Source, role: str, bound: dict[str, Expr], node: ast.Call) -> Expr:
    wanted = annotations(c, source)
    if role != "plain" and len(bound) > 5:
        raise c.error("arguments", f"a BPF subprogram takes at most five arguments, {source.name}() has {len(bound)}", node,
                      help="pass a struct, or drop @bpf.func to have it inlined")
    values: dict[str, Expr] = {}
    for name, value in bound.items():
        if name in wanted:
            value = declared(c, value, wanted[name], node)
        if not rep(value.kind):
            c.drop(value)
        values[name] = memory.settle(c, value, node) if not memory.is_string(getattr(value.kind, "target", None)) else value
    kinds = {name: _global(c, source, name, v.kind, node) if role == "global" else general(v.kind, name) for name, v in values.items()}
    key = (callee, role, tuple(kinds.items()))
    instance = c.unit.instances.get(key)
    if instance is None:
        span = c.span(node)
        c.unit.call_sites.append((span, c.frame.source.name))
        try:
            instance = c.unit.instances[key] = check(c.unit, source, role, kinds, c.hook)
        finally:
            c.unit.call_sites.pop()
    c.unit.report_all(instance.diagnostics)
    if instance.diagnostics:
        return Undef(c.span(node), POISON)
    return _emit_call(c, instance, values, kinds, node)


def general(kind: Kind, name: str) -> Kind:
    """What of an argument a function is checked for: constants as they are, numbers by their rough size, pointers by what
    they lead to."""
    match kind:
        case Int(lo=lo, hi=hi) if lo == hi:
            return kind
        case Int(type=type, lo=lo, hi=hi, seen=seen):
            if lo >= 0:
                top = (1 << hi.bit_length()) - 1
                return Int(type, 0, top, seen) if fits(0, top, type) else Int(type, type.lo, type.hi, seen)
            return Int(type, type.lo, type.hi, seen and (lo, hi) == (type.lo, type.hi))
        case Ptr():
            return kind._replace(origin=frozenset((Origin(name),)), fresh=False, resource=None, why=kind.why)
        case Tuple(items=items):
            return Tuple(tuple(general(item, f"{name}.{i}") for i, item in enumerate(items)))
        case Optional(some=some):
            return Optional(general(some, name), kind.why)
        case Cursor():
            return Cursor(name)
        case _:
            return kind


def _global(c: Checker, source: Source, name: str, kind: Kind, node: ast.AST) -> Kind:
    """A parameter of a function that the verifier checks on its own: it knows its type alone."""
    match kind:
        case Int(type=type):
            return Int.of(type)
        case Const(int()):
            known = number(kind)
            return Int.of(known.type) if known is not None else kind
        case Context():
            return kind
        case Ptr(target=target) if target is not None:
            return Ptr(target, "mem", null=True, why="the caller passes None", origin=frozenset((Origin(name),)))
    raise c.mismatch(f"the parameter {name!r} of {source.name}() takes a number, a pointer or the context", kind, node,
                     "drop 'global_=True'")


def check(unit: Unit, source: Source, role: str, kinds: Mapping[str, Kind], hook: str) -> Instance:
    """Check a function for its arguments' kinds."""
    function = Function(source.name, source.span(source.node), role)
    c = Checker(unit, function, Frame(source))
    c.hook = hook
    instance = Instance(function, c.effects)
    instance.names = list(kinds)
    reported, unit.diagnostics = unit.diagnostics, instance.diagnostics
    unit.active.append(source.function)
    try:
        for name, kind in kinds.items():
            _parameter(c, name, kind)
        try:
            c.frame.declared = annotations(c, source)
        except CompileError as error:
            unit.report(error)
        body(c, source)
        if role != "plain":
            function.types = [(n, _btf_layout(k)) for n, k in kinds.items()]
        _settle_results(c, instance)
    finally:
        unit.active.pop()
        unit.diagnostics = reported
    return instance


def _parameter(c: Checker, name: str, kind: Kind) -> None:
    assert c.env is not None
    if isinstance(kind, Cursor):
        for which, region in (("pos", "packet"), ("end", "packet_end")):
            local = Local(which, (region,))
            c.function.params.append(local)
            c.env[f"${which}:{kind.name}"] = Binding(local, Ptr(None, region))
            if which == "pos":
                c.function.cursors.append(local)
                c.cursors.append(f"$pos:{kind.name}")
        c.env[name] = Binding(None, kind)
        return
    local = Local(name, rep(kind))
    if local.rep:
        c.function.params.append(local)
    c.env[name] = Binding(local, kind)
    if isinstance(kind, Context):
        c.ctx = Get(c.function.span, kind, local)


def _btf_layout(kind: Kind) -> Layout | None:
    match kind:
        case Int(type=type):
            return type
        case Ptr(target=target):
            return PtrType(target)
        case _:
            return None


def body(c: Checker, source: Source) -> None:
    """Check the statements of a function."""
    if isinstance(source.node, ast.Lambda):
        value = c.expr(source.node.body)
        give_back(c, value, source.node.body)
    else:
        c.unit.tables.body(c, source.node.body)


def give_back(c: Checker, value: Expr, node: ast.AST) -> None:
    """`return value`."""
    target = c.frame.result
    result = result_layout(c)
    if result is not None and value.kind != NONE and value.kind != POISON:
        value = declared(c, value, result, node)
    value = memory.settle(c, value, node)
    if target is not None:
        c.bind(f"$result@{c.frame.key}", value, "result")
        c.leave(target, Break(c.span(node), target.loop))
        return
    span = c.span(node)
    cursors = []
    for name in c.cursors:
        binding = (c.env or {}).get(name)
        gone = binding is None or isinstance(binding.kind, Broken)
        cursors.append(Undef(span, Ptr(None, "packet")) if gone or binding is None else held(binding, span))
    helpers_check(c, value, node)
    stmt = Return(span, value)
    stmt.cursors = tuple(cursors)
    c.emit(stmt)
    path = c.path()
    assert path is not None
    c.returns.append((stmt, path))
    c.env = None


def helpers_check(c: Checker, value: Expr, node: ast.AST) -> None:
    """What is held and not handed to the caller must have been given back."""
    kept = value.kind.resource if isinstance(value.kind, Ptr) else None
    if kept is not None:
        c.held -= {kept}
    if c.held:
        helpers.check_released(c, node)


def result_layout(c: Checker) -> Layout | None:
    """The annotated result, where it says more than `int`."""
    node = c.frame.source.node
    if isinstance(node, ast.Lambda) or node.returns is None:
        return None
    if isinstance(node.returns, ast.Constant) and node.returns.value is None:
        return None
    if isinstance(node.returns, ast.Name) and node.returns.id == "int":
        return None
    layout = c.unit.annotation(c, node.returns, c.frame.source)
    return layout if isinstance(layout, IntType) else None


def _settle_results(c: Checker, instance: Instance) -> None:
    """One kind for all that a function gives back."""
    if c.env is not None:
        c.at(c.frame.source.node)
        give_back(c, c.lit(None), c.frame.source.node)
    function, result = c.function, None
    first: Return | None = None
    for stmt, _ in c.returns:
        if stmt.value.kind == POISON:
            continue
        new = stmt.value.kind if result is None else join(result, stmt.value.kind, "the result")
        if isinstance(new, Broken) and result is not None:
            assert first is not None
            _conflict(c, new, result, stmt, first)
            new = POISON
        first = first or stmt
        result = new
    result = result if result is not None else NONE
    if function.role in ("subprogram", "global") and isinstance(result, Const) and number(result) is not None:
        result = number(result) or result
    for stmt, _ in c.returns:
        if stmt.value.kind == POISON or isinstance(result, Broken):
            stmt.value = Undef(stmt.span, result)
        else:
            stmt.value = _export(c, instance, coerce(stmt.value, result), result)
    function.result = instance.result = _exported(result, instance) if instance.outs else result
    if function.role != "plain":
        function.returns = result.type if isinstance(result, Int) else TYPES["i32"]


def _conflict(c: Checker, new: Broken, before: Kind, stmt: Return, first: Return) -> None:
    if new.code == "mixed-sign":
        message, help = "this function returns a u64 on one path and maybe a negative on another", "annotate the result: '-> i64' or '-> u64'"
    else:
        message = f"this function returns {describe(before)} on one path and {describe(stmt.value.kind)} on another"
        help = "return the same kind of thing everywhere"
    diagnostic = Diagnostic(new.code, message, stmt.span, "", help, ((first.span, "the other result is here"),))
    c.unit.report(CompileError([diagnostic]))


# --- struct values given back: through memory of the caller -------------------------------------------------------------


def _is_own(kind: Kind) -> bool:
    return isinstance(kind, Ptr) and kind.region == "stack" and any(isinstance(o.root, Slot) for o in kind.origin)


def _export(c: Checker, instance: Instance, value: Expr, kind: Kind, at: int = 0) -> Expr:
    """A result whose memory ends with the function: stored where the caller wants it."""
    span = value.span
    if isinstance(kind, Tuple) and any(_holds_own(k) for k in kind.items):
        whole = Local("$result", rep(kind))
        body = [Set(span, whole, value)]
        items, index = [], at
        for i, item in enumerate(kind.items):
            items.append(_export(c, instance, Item(span, item, Get(span, kind, whole), i), item, index))
            index += _holds_own(item)
        return Seq(span, body, MakeTuple(span, Tuple(tuple(i.kind for i in items)), tuple(items)))
    if not _holds_own(kind):
        return value
    some = narrowed(kind)
    assert isinstance(some, Ptr) and some.target is not None
    out = _out(c, instance, some.target, at)
    there = some._replace(origin=frozenset((Origin(out.name),)), fresh=False)
    here = Get(span, there, out)
    if isinstance(kind, Ptr):
        return Seq(span, [Store(span, Deref(span, there, here), value)], here)
    maybe = Local("$result", rep(kind))
    now = Get(span, kind, maybe)
    present = memory.present(c, now)
    body = [Set(span, maybe, value), If(span, present, [Store(span, Deref(span, there, here), Cast(span, some, now))], [])]
    return Seq(span, body, Maybe(span, Optional(there, getattr(kind, "why", "")), present, here))


def _holds_own(kind: Kind) -> bool:
    return _is_own(narrowed(kind))


def _out(c: Checker, instance: Instance, layout: Layout, at: int) -> Local:
    if at == len(instance.outs):
        instance.outs.append(layout)
        c.function.params.append(Local(f"$out{at}", ("stack",)))
    return c.function.params[len(c.function.params) - len(instance.outs) + at]


def _exported(kind: Kind, instance: Instance) -> Kind:
    """The result's kind with the out parameters for its own memory."""
    counter = iter(range(len(instance.outs)))

    def change(k: Kind) -> Kind:
        return k._replace(origin=frozenset((Origin(f"$out{next(counter)}"),)), fresh=False) if isinstance(k, Ptr) and _is_own(k) else k

    return mapped(kind, change)


# --- the call itself -------------------------------------------------------------------------------------------------


def _emit_call(c: Checker, instance: Instance, values: dict[str, Expr], kinds: dict[str, Kind], node: ast.AST) -> Expr:
    span, function, effects = c.span(node), instance.function, instance.effects
    args: list[Expr] = []
    cursors: list[tuple[str, Local]] = []
    for name, value in values.items():
        kind = value.kind
        if isinstance(kind, Cursor):
            args += [packet._position(c, kind, node), packet._end(c, kind, node)]
            cursors.append((f"$pos:{kind.name}", Local("pos", ("packet",))))
        elif rep(kinds[name]):
            args.append(_passed(c, function, name, value, kinds[name], node))
    for name, lo, hi in effects.overwritten:
        if name.split(".")[0] in values:
            mine = frozenset(Origin(o.root, o.lo + lo, min(o.lo + hi, o.hi)) for o in memory.origins(values[name.split(".")[0]].kind))
            memory.preserve_origins(c, mine, hi - lo, node)
            for o in mine:
                if isinstance(o.root, str):
                    effects_add(c, o)
    outs = [c.slot(layout) for layout in instance.outs]
    for out in outs:
        memory.preserve_origins(c, memory.origins(out.kind), out.slot.layout.size, node)
    result = _returned(instance.result, values, outs)
    call = Call(span, result, function, (*args, *outs), tuple(local for _, local in cursors))
    value = c.hold(call, "$answer") if cursors or effects.moves_packet or effects.released else call
    for key, local in cursors:
        assert c.env is not None
        c.env[key] = Binding(local, Ptr(None, "packet"))
    _apply(c, effects, values, node)
    c.function.aborts |= function.aborts
    return value


def effects_add(c: Checker, origin: Origin) -> None:
    c.effects.overwritten.add((origin.root, origin.lo, origin.hi))


def _passed(c: Checker, function: Function, name: str, value: Expr, kind: Kind, node: ast.AST) -> Expr:
    """An argument as the parameter holds it."""
    if function.role == "plain":
        return coerce(value, kind) if rep(value.kind) == rep(kind) or isinstance(value.kind, Const) else value
    if isinstance(value.kind, Tuple | Optional) and function.role == "global":
        raise c.mismatch(f"the parameter {name!r} of {function.name}() takes a number or a pointer", value.kind, node,
                         "drop @bpf.func: a plain function takes anything")
    if isinstance(value.kind, Ptr) and isinstance(kind, Ptr) and function.role == "global":
        return value
    return coerce(value, kind)


def _returned(kind: Kind, values: dict[str, Expr], outs: list[SlotPlace]) -> Kind:
    """The result as the caller sees it: what came from parameters leads where the arguments lead."""

    def change(k: Kind) -> Kind:
        if not isinstance(k, Ptr):
            return k
        found: set[Origin] = set()
        for o in k.origin:
            if isinstance(o.root, str) and o.root.startswith("$out"):
                found |= memory.origins(outs[int(o.root[4:])].kind)
            elif isinstance(o.root, str) and o.root.split(".")[0] in values:
                found |= {Origin(m.root, m.lo + o.lo, min(m.lo + o.hi, m.hi)) for m in memory.origins(values[o.root.split(".")[0]].kind)}
            else:
                found.add(o)
        own = any(isinstance(o.root, str) and o.root.startswith("$out") for o in k.origin)
        return k._replace(origin=frozenset(found), fresh=own)

    return mapped(kind, change)


def _apply(c: Checker, effects: Effects, values: dict[str, Expr], node: ast.AST) -> None:
    """What the call has done to the caller's values."""
    c.effects.writes |= effects.writes
    for name in effects.released:
        if name.split(".")[0] in values:
            helpers.release(c, values[name.split(".")[0]], node)
    if effects.moves_packet:
        packet.moved(c)


# --- nested functions ------------------------------------------------------------------------------------------------


def inline(c: Checker, closure: Closure, bound: dict[str, Expr], node: ast.AST) -> Expr:
    """The body of a nested function in the place of its call, with variables of its own."""
    if any(f is closure.source.node for f in c.unit.inlining):
        raise c.error("recursion", f"{closure.source.name}() calls itself", node, help="BPF has no recursion: write a loop")
    c.inlined += 1
    block = Block(c.span(node))
    target = Target(block)
    frame = Frame(closure.source, c.inlined, closure.frame, target)
    outer, c.frame = c.frame, frame
    span = outer.source.span(node)
    c.unit.call_sites.append((span, outer.source.name))
    c.unit.inlining.append(closure.source.node)
    try:
        frame.declared = annotations(c, closure.source)
        for name, value in bound.items():
            if name in frame.declared:
                value = declared(c, value, frame.declared[name], node)
            c.bind(c.key(name), memory.settle(c, value, node), name)
        out, c.out = c.out, block.body
        body(c, closure.source)
        if c.env is not None:
            give_back(c, c.lit(None), closure.source.node)
        c.out = out
    finally:
        c.frame = outer
        c.unit.call_sites.pop()
        c.unit.inlining.pop()
    c.emit(block)
    c.merge(target.breaks)
    return _inlined_result(c, frame, node)


def _inlined_result(c: Checker, frame: Frame, node: ast.AST) -> Expr:
    if c.env is None:
        return Undef(c.span(node), POISON)
    value = c.read(f"$result@{frame.key}", node) if f"$result@{frame.key}" in c.env else Undef(c.span(node), POISON)
    c.env = {n: b for n, b in c.env.items() if not n.endswith(f"@{frame.key}")}
    return value


__all__ = ["ArrayType", "FunctionType", "I64", "Span", "U64"]
