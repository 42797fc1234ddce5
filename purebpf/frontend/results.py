"""What a function gives back: one kind for all its returns, and memory of the caller for struct values."""

from __future__ import annotations

import ast

from ..dsl.ints import IntType, TYPES
from ..dsl.layout import Layout
from ..errors import CompileError, Diagnostic
from ..tree.convert import coerce
from ..tree.kinds import (
    Broken, Const, Int, Kind, NONE, Optional, Origin, POISON, Ptr, Tuple, describe, join, mapped, narrowed, number,
    rep,
)
from ..tree.nodes import (
    Break, Cast, Deref, Expr, Function, Get, If, Item, Local, MakeTuple, Maybe, Return, Seq, Set, Slot, Store, Undef, Stmt,
)
from . import gate, keeping, memory, strings
from .binding import declared
from .context import Checker, Effects, held


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


def give_back(c: Checker, value: Expr, node: ast.AST) -> None:
    """`return value`."""
    target = c.frame.result
    result = result_layout(c)
    if result is not None and value.kind != NONE and value.kind != POISON:
        value = declared(c, value, result, node)
    value = keeping.settle(c, value, node)
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


def no_result(c: Checker) -> CompileError:
    """A function that says what it gives back, and may end without."""
    source = c.frame.source
    layout = result_layout(c)
    return c.error("missing-return", f"{source.name}() gives a {layout.name if layout else ''} back, and can end without a 'return'",
                   source.node, help="return on every path, or annotate the result with '| None'")


def helpers_check(c: Checker, value: Expr, node: ast.AST) -> None:
    """What is held and not handed to the caller must have been given back."""
    kept = value.kind.resource if isinstance(value.kind, Ptr) else None
    if kept is not None:
        c.held -= {kept}
    if c.held:
        gate.check_released(c, node)


def result_layout(c: Checker) -> Layout | None:
    """The annotated result, where it says more than `int`."""
    node = c.frame.source.node
    if isinstance(node, ast.Lambda) or node.returns is None:
        return None
    if isinstance(node.returns, ast.Constant) and node.returns.value is None:
        return None
    if isinstance(node.returns, ast.Name) and node.returns.id == "int":
        return None
    layout = c.unit.annotation(c, node.returns, c.frame.source, text=True)
    return layout if isinstance(layout, IntType) else None


def _settle_results(c: Checker, instance: Instance) -> None:
    """One kind for all that a function gives back."""
    if c.env is not None:
        c.at(c.frame.source.node)
        if result_layout(c) is not None and not instance.diagnostics:  # after an error, paths end where they would not
            c.unit.report(no_result(c))
        give_back(c, c.lit(None), c.frame.source.node)
    function, result = c.function, None
    room = strings.common_room([s.value.kind for s, _ in c.returns if s.value.kind != POISON])
    for stmt, _ in c.returns if room else ():
        stmt.value = strings.roomy(c, stmt.value, room, c.frame.source.node)
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


def _is_own(kind: Kind) -> bool:
    return isinstance(kind, Ptr) and kind.region == "stack" and any(isinstance(o.root, Slot) for o in kind.origin)


def _export(c: Checker, instance: Instance, value: Expr, kind: Kind, at: int = 0) -> Expr:
    """A result whose memory ends with the function: stored where the caller wants it."""
    span = value.span
    if isinstance(kind, Tuple) and any(_holds_own(k) for k in kind.items):
        whole = Local("$result", rep(kind))
        first = Set(span, whole, value)
        items, index = [], at
        for i, item in enumerate(kind.items):
            items.append(_export(c, instance, Item(span, item, Get(span, kind, whole), i), item, index))
            index += _holds_own(item)
        return Seq(span, [first], MakeTuple(span, Tuple(tuple(i.kind for i in items)), tuple(items)))
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
    body: list[Stmt] = [Set(span, maybe, value), If(span, present, [Store(span, Deref(span, there, here), Cast(span, some, now))], [])]
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
