"""Functions of the user: each is checked once for each combination of argument kinds; a call refers to what came out.

A nested function that reads or writes variables of the function around it has no life of its own: its body is checked
in the place of its call.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TYPE_CHECKING

from ..dsl.globals import Variable
from ..dsl.hooks import Func
from ..dsl.layout import Layout, PtrType, StructType
from ..errors import CompileError
from ..tree.convert import coerce
from ..tree.kinds import (
    Choice, Const, Context, Cursor, Int, Kind, Optional, Origin, POISON, Ptr, Tuple, fits, is_string, mapped, number, rep,
)
from ..tree.nodes import Block, Call, Expr, Function, Get, Lit, Local, SlotPlace, Undef
from ..tree.walk import settle_vague
from ..uapi import versions
from . import gate, keeping, mapuse, packet, sections
from .fields import tied
from .binding import _defaults, bind, declared, declared_parameters
from .context import Binding, Checker, Closure, Effects, Frame, Target, plain_function
from .results import Instance, _settle_results, give_back
from .source import Source

if TYPE_CHECKING:
    from .unit import Unit


def call(c: Checker, callee: Any, args: list[Expr], named: Mapping[str, Expr], node: ast.AST) -> Expr:
    """A user's function is called: `callee` is a function, one marked `@bpf.func`, or a nested one."""
    if isinstance(callee, Closure):
        made = callee.frame
        if callee.defaults and made is not None and made.function is not c.function:
            raise c.outlives(made, node)
        bound = bind(c, callee.source, args, named, node, {n: c.read(key, node) for n, key in callee.defaults.items()})
        return inline(c, callee, bound, node)
    function = plain_function(callee.function if isinstance(callee, Func) else callee)
    source = c.unit.sources.of(function)
    if function in c.unit.active:
        raise c.error("recursion", f"{function.__name__}() calls itself", node, help="BPF has no recursion: write a loop")
    defaults = {n: Lit(c.span(node), v) for n, v in _defaults(source).items()}
    bound = bind(c, source, args, named, node, defaults)
    if not isinstance(callee, Func) and any(_captures(c, v.kind) or tied(v.kind) for v in bound.values()):
        return inline(c, Closure(source, None, {}), bound, node)
    role = "plain" if not isinstance(callee, Func) else "global" if callee.global_ else "subprogram"
    return _call_instance(c, callee, source, role, bound, node)


def closures(kind: Kind) -> Iterator[Closure]:
    """The nested functions that a value is, or may be."""
    match kind:
        case Const(Closure() as closure):
            yield closure
        case Const(tuple() | list() as items):
            for item in items:
                yield from closures(Const(item))
        case Choice(options=parts) | Tuple(items=parts):
            for part in parts:
                yield from closures(part)
        case Optional(some=some):
            yield from closures(some)


def captured(c: Checker, closure: Closure) -> list[Frame]:
    """The frames whose variables a nested function sees, by itself or by other nested functions among them."""
    nodes = list(ast.walk(closure.source.node))
    names = {n.id for n in nodes if isinstance(n, ast.Name)} - c.unit.locals_of(closure.source)
    names |= {name for n in nodes if isinstance(n, ast.Nonlocal) for name in n.names}
    frame, found = closure.frame, []
    while frame is not None:
        if names & c.unit.locals_of(frame.source) or closure.defaults and frame is closure.frame:
            found.append(frame)
        frame = frame.outer
    return found


def _captures(c: Checker, kind: Kind) -> Closure | None:
    """A nested function among the values that sees variables of a function being checked."""
    return next((closure for closure in closures(kind) if captured(c, closure)), None)


def _call_instance(c: Checker, callee: Any, source: Source, role: str, bound: dict[str, Expr], node: ast.AST) -> Expr:
    wanted = declared_parameters(c, source)
    if role != "plain" and len(bound) > 5:
        raise c.error("arguments", f"a BPF subprogram takes at most five arguments, {source.name}() has {len(bound)}", node,
                      help="pass a struct, or drop @bpf.func to have it inlined")
    values: dict[str, Expr] = {}
    for name, value in bound.items():
        if name in wanted:
            value = declared(c, value, wanted[name], node)
        if not rep(value.kind):
            c.drop(value)
        values[name] = keeping.settle(c, value, node) if not is_string(getattr(value.kind, "target", None)) else value
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
    left = _captures(c, instance.result)
    if left is not None and role == "plain":  # in the place of the call the variables stay
        return inline(c, Closure(source, None, {}), bound, node)
    if left is not None:
        raise c.outlives(captured(c, left)[0], node)
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
            c.unit.need(c, versions.feature("global_pointers"), f"a pointer to a global function ({source.name}())", node)
            return Ptr(target, "arg", null=True, why="the caller passes None", origin=frozenset((Origin(name),)))
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
            c.frame.declared = declared_parameters(c, source)
        except CompileError as error:
            unit.report(error)
        body(c, source)
        if role == "global" and function.aborts and not instance.diagnostics:
            unit.report(c.error("unsupported", f"ending the whole program from {source.name}(), which the verifier checks on its own,", source.node,
                                help="an assert, an index that is only known at run time and a loop without a small bound may end it: "
                                     "return an error value instead, compare the index first, or drop 'global_=True'"))
        if role != "plain":
            function.types = [(n, _btf_layout(k)) for n, k in kinds.items()]
        _settle_results(c, instance)
        if c.vague:
            settle_vague(function.body)
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


@cache
def _context_struct(name: str) -> StructType:
    return StructType(name, (), 0, 1)


def _btf_layout(kind: Kind) -> Layout | None:
    match kind:
        case Int(type=type):
            return type
        case Ptr(target=target):
            return PtrType(target)
        case Context(name=name) if "/" not in name:  # the kernel knows a context by its struct's name
            return PtrType(_context_struct(name))
        case _:
            return None


def _shadowed(c: Checker, source: Source) -> None:
    """`hits = 5` where hits is a Global makes a variable of the function, as in Python; if nobody reads it, that is not
    what was meant."""
    globals_ = {n for n in c.unit.locals_of(source) if isinstance(source.lookup(n)[1], Variable)}
    if not globals_:
        return
    names = [n for n in ast.walk(source.node) if isinstance(n, ast.Name) and n.id in globals_]
    said = {n for node in ast.walk(source.node) if isinstance(node, ast.Global | ast.Nonlocal) for n in node.names}
    read = {n.id for n in names if isinstance(n.ctx, ast.Load)}  # where it is added to, that it has no value yet is said
    read |= {n.target.id for n in ast.walk(source.node) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    for node in names:
        if node.id not in read | said:
            c.unit.report(c.error("shadowed", f"{node.id!r} is a new variable here, not the Global", node,
                                  help=f"the Global's value is '{node.id}.value'"))


def body(c: Checker, source: Source) -> None:
    """Check the statements of a function."""
    _shadowed(c, source)
    if isinstance(source.node, ast.Lambda):
        value = c.expr(source.node.body)
        give_back(c, value, source.node.body)
    else:
        c.unit.tables.body(c, source.node.body)


def _emit_call(c: Checker, instance: Instance, values: dict[str, Expr], kinds: dict[str, Kind], node: ast.AST) -> Expr:
    span, function, effects = c.span(node), instance.function, instance.effects
    outs = [c.slot(layout) for layout in instance.outs]
    answers = [o for out in outs for o in keeping.origins(out.kind)]
    values = {name: keeping.apart(c, value, answers, node) for name, value in values.items()}
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
            mine = frozenset(Origin(o.root, o.lo + lo, min(o.lo + hi, o.hi)) for o in keeping.origins(values[name.split(".")[0]].kind))
            keeping.preserve_origins(c, mine, hi - lo, node)
            for o in mine:
                if isinstance(o.root, str):
                    effects_add(c, o)
    for out in outs:
        keeping.preserve_origins(c, keeping.origins(out.kind), out.slot.layout.size, node)
    result = _returned(instance.result, values, outs)
    call = Call(span, result, function, (*args, *outs), tuple(local for _, local in cursors))
    value = c.hold(call, "$answer") if cursors or effects.moves_packet or effects.released else call
    for key, local in cursors:
        assert c.env is not None
        c.env[key] = Binding(local, Ptr(None, "packet"))
    _apply(c, effects, values, function.name, node)
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
                found |= keeping.origins(outs[int(o.root[4:])].kind)
            elif isinstance(o.root, str) and o.root.split(".")[0] in values:
                found |= {Origin(m.root, m.lo + o.lo, min(m.lo + o.hi, m.hi)) for m in keeping.origins(values[o.root.split(".")[0]].kind)}
            else:
                found.add(o)
        own = any(isinstance(o.root, str) and o.root.startswith("$out") for o in k.origin)
        return k._replace(origin=frozenset(found), fresh=own)

    return mapped(kind, change)


def _apply(c: Checker, effects: Effects, values: dict[str, Expr], name: str, node: ast.AST) -> None:
    """What the call has done to the caller's values."""
    c.effects.writes |= effects.writes
    c.effects.calls, c.effects.sleeps = c.effects.calls or effects.calls, c.effects.sleeps or effects.sleeps
    sections.check(c, effects.calls, effects.sleeps, node)
    gate.again(c, effects.callees, node)
    mapuse.again(c, effects.maps, node)
    for parameter in effects.released:
        if parameter.split(".")[0] in values:
            gate.release(c, values[parameter.split(".")[0]], node)
    if effects.moves_packet:
        packet.moved(c, name, node)


def inline(c: Checker, closure: Closure, bound: dict[str, Expr], node: ast.AST, shown: bool = True) -> Expr:
    """The body of a nested function in the place of its call, with variables of its own. `shown`: what is wrong in it says
    from where it is called."""
    if any(f is closure.source.node for f in c.unit.inlining):
        raise c.error("recursion", f"{closure.source.name}() calls itself", node, help="BPF has no recursion: write a loop")
    c.inlined += 1
    block = Block(c.span(node))
    target = Target(block)
    frame = Frame(closure.source, c.inlined, closure.frame, target)
    frame.function = c.function
    outer, c.frame = c.frame, frame
    span = outer.source.span(node)
    if shown:
        c.unit.call_sites.append((span, outer.source.name))
    c.unit.inlining.append(closure.source.node)
    try:
        frame.declared = declared_parameters(c, closure.source)
        for name, value in bound.items():
            if name in frame.declared:
                value = declared(c, value, frame.declared[name], node)
            c.bind(c.key(name), keeping.settle(c, value, node), name)
        out, c.out = c.out, block.body
        body(c, closure.source)
        if c.env is not None:
            give_back(c, c.lit(None), closure.source.node)
        c.out = out
    finally:
        c.frame = outer
        if shown:
            c.unit.call_sites.pop()
        c.unit.inlining.pop()
    c.emit(block)
    c.merge(target.breaks)
    return _inlined_result(c, frame, node)


def _inlined_result(c: Checker, frame: Frame, node: ast.AST) -> Expr:
    if c.env is None:
        return Undef(c.span(node), POISON)
    value = c.read(f"$result@{frame.key}", node) if f"$result@{frame.key}" in c.env else Undef(c.span(node), POISON)
    ours = {n for n in c.env if n.endswith(f"@{frame.key}")}
    seen = (value.kind, *(b.kind for n, b in c.env.items() if n not in ours))
    if any(frame in captured(c, closure) for kind in seen for closure in closures(kind)):
        c.kept.add(frame.key)
        ours = {f"$result@{frame.key}"}
    c.env = {n: b for n, b in c.env.items() if n not in ours}
    return value
