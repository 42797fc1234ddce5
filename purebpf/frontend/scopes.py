"""`with`: what is taken for a while and given back whichever way the block is left."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl.kernel import KernelFunction
from ..dsl.memory import ResSpinLock, SpinLock
from ..errors import CompileError
from ..tree.kinds import BOOL, I64, POISON, Broken, Const, Int, Kind, Ptr, Resource, is_maybe
from ..tree.nodes import Cast, Compare, Eval, Expr, Get, If, Number, Scope, Set, Stmt
from ..tree.walk import walk
from . import fitting, helpers, keeping, kfuncs, memory, sections, stmts
from .context import Checker, Path

STATUS = Int.of(I64)


def _with(c: Checker, node: ast.With) -> None:
    _items(c, node, node.items)


def _items(c: Checker, node: ast.With, items: list[ast.withitem]) -> None:
    if not items:
        stmts.body(c, node.body)
        return
    item, rest = items[0], items[1:]
    c.at(item.context_expr)
    c.entered = item.context_expr
    value = c.place(item.context_expr)
    kind = value.kind
    if isinstance(kind, Const) and isinstance(kind.value, sections.Section):
        if item.optional_vars is not None:
            c.unsupported("'as' of a section", node)
        sections.hold(c, kind.value.what, node, lambda: _items(c, node, rest))
        return
    if isinstance(kind, Ptr) and kind.target in (SpinLock.layout, ResSpinLock.layout):
        _lock(c, node, value, item, rest)
        return
    if isinstance(kind, Ptr) and kind.resource is not None:
        scope = _record if kind.resource.keep is not None else _owned
        scope(c, node, value, item, rest)
        return
    if is_maybe(kind):
        called = ast.unparse(item.context_expr).split("(")[0].split(".")[-1]
        c.unsupported(f"'with' of {called}(), which gives nothing that is to be given back,", item.context_expr, "name it and test it: 'v = m.lookup(key)', 'if v is not None:'")
    if kind == POISON:
        raise CompileError([])
    c.unsupported("this 'with'", node, "'with ringbuf.reserve() as e:' and 'with entry.lock:' are")


def _record(c: Checker, node: ast.With, value: Expr, item: ast.withitem, rest: list[ast.withitem]) -> None:
    """A ring buffer record: filled in the block, submitted at its end whichever way it is left, unless it was discarded;
    skipped when full. Its bytes are zero at first: what lay there before is nobody's business."""
    record = c.hold(value, "record")
    kind = record.kind
    assert isinstance(kind, Ptr) and kind.target is not None and kind.resource is not None
    resource, span = kind.resource, c.span(node)
    keep = Get(span, Int(BOOL, 0, 1), resource.keep)

    def give(helper: str) -> list[Stmt]:
        there = Cast(record.span, kind._replace(null=False), record)
        args = (there, Number(record.span, 0))
        return [Eval(c.span(node), helpers.emit_call(c, helper, args, STATUS, node))]

    def inside() -> None:
        there = Cast(record.span, kind._replace(null=False), record)
        assert kind.target is not None
        place = memory.deref(c, there, node)
        fitting.store(c, place, fitting.blank(c, kind.target, node), node)
        if item.optional_vars is not None:
            stmts.assign(c, item.optional_vars, there)
        c.emit(Set(span, resource.keep, Number(span, 1)))
        body, path = c.fork(dict(c.env or {}), c.held, lambda: _items(c, node, rest))
        discarded = any(isinstance(n, Set) and n.local is resource.keep for stmt in body for n in walk(stmt))
        close: list[Stmt] = give("ringbuf_submit")
        if discarded:
            close = [If(span, keep, close, give("ringbuf_discard"))]
        c.emit(Scope(span, body, close, give("ringbuf_discard")))
        _go_on(c, path)

    _if_there(c, node, record, resource, inside)


def discard(c: Checker, resource: Resource, node: ast.AST) -> Expr:
    """The record is not submitted at the end of its block."""
    c.emit(Set(c.span(node), resource.keep, Number(c.span(node), 0)))
    return c.lit(None, node)


def _go_on(c: Checker, path: Path | None) -> None:
    c.env, c.held = (dict(path.env), path.held) if path is not None else (None, frozenset())


def _if_there(c: Checker, node: ast.With, value: Expr, resource: Resource, inside: Callable[[], None]) -> None:
    """The body, where the entry succeeded; afterwards what was taken is gone."""
    _if(c, node, memory.present(c, value), inside)
    c.change(lambda k: isinstance(k, Ptr) and k.resource is resource or _leads_to(k, resource),
             lambda name, k: Broken("use-after-release", f"{name!r} has been given back at the end of its 'with' block",
                                    "use it inside the block"))


def _if(c: Checker, node: ast.With, test: Expr, inside: Callable[[], None]) -> None:
    """The body, where the entry succeeded."""
    env, held = dict(c.env or {}), c.held
    body, end = c.fork(env, held, inside)
    orelse: list[Stmt] = []
    c.emit(If(c.span(node), test, body, orelse))
    before = Path(env, held, orelse)
    c.at(node)
    if end is not None:
        for name in [n for n in end.env if n not in env]:
            del end.env[name]
    c.merge([end, before])


def _leads_to(kind: Kind, resource: Resource) -> bool:
    return any(o.root is resource for o in keeping.origins(kind))


def _lock(c: Checker, node: ast.With, place: Expr, item: ast.withitem, rest: list[ast.withitem]) -> None:
    """`with entry.lock:`: nothing may be called while it is held."""
    if item.optional_vars is not None:
        c.unsupported("'as' of a lock", node)
    if "lock" in c.sections:
        raise c.error("locked", "a second lock cannot be taken while one is held", item.context_expr, help="one after the other")
    lock = c.hold(place, "lock")
    assert isinstance(place.kind, Ptr)
    if place.kind.target is ResSpinLock.layout:
        take, give = (kfuncs.emit(c, kfuncs.signature(c, KernelFunction(name), node), (lock,), node)
                      for name in ("bpf_res_spin_lock", "bpf_res_spin_unlock"))
        got = Compare(c.span(node), Int(BOOL, 0, 1, 1), "eq", c.hold(take, "status"), Number(c.span(node), 0))
        _if(c, node, got, lambda: _locked(c, node, give, rest))
        return
    c.emit(Eval(c.span(node), helpers.emit_call(c, "spin_lock", (lock,), STATUS, node)))
    _locked(c, node, helpers.emit_call(c, "spin_unlock", (lock,), STATUS, node), rest)


def _locked(c: Checker, node: ast.With, unlock: Expr, rest: list[ast.withitem]) -> None:
    body, path = c.fork(dict(c.env or {}), c.held, lambda: sections.within(c, "lock", lambda: _items(c, node, rest)))
    free: list[Stmt] = [Eval(c.span(node), unlock)]
    c.emit(Scope(c.span(node), body, list(free), list(free)))
    _go_on(c, path)


def _owned(c: Checker, node: ast.With, value: Expr, item: ast.withitem, rest: list[ast.withitem]) -> None:
    """What an acquiring function gave: released at the end."""
    kind = value.kind
    assert isinstance(kind, Ptr) and kind.resource is not None
    held = c.hold(value, "owned")
    resource = kind.resource
    c.held -= {resource}

    def inside() -> None:
        there = Cast(held.span, kind._replace(null=False), held)
        if item.optional_vars is not None:
            stmts.assign(c, item.optional_vars, there)
        body, path = c.fork(dict(c.env or {}), c.held, lambda: _items(c, node, rest))
        give = [Eval(c.span(node), c.unit.tables.release(c, resource, there, node))]
        c.emit(Scope(c.span(node), body, list(give), list(give)))
        _go_on(c, path)

    _if_there(c, node, held, resource, inside)


SCOPES: dict[type[ast.stmt], Callable[[Checker, Any], None]] = {ast.With: _with}
