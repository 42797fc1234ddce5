"""Loops whose rounds the kernel calls: over maps, and `bpf.loop`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..dsl import maps as decl
from ..tree.kinds import Const, I64, Int, NONE, Origin, POISON, Ptr, Tuple, rep
from ..tree.nodes import Break, Each, Eval, Expr, Get, If, Lit, Local, MakeTuple, Stmt
from ..uapi import versions
from . import arith, conds, functions, maps, memory, stmts, truths
from .context import Checker, Closure
from .rounds import Round, _finish, _loop_body, settle


def _for_map(c: Checker, node: ast.For, map: maps.MapOf, what: str) -> None:
    """`for k, v in m`: the kernel walks the map and calls the body."""
    key, value = _walked(c, map, node)

    def bind() -> None:
        found = memory.load(c, memory.deref(c, key, node), node)
        items = {"keys": (found,), "values": (value,), "items": (found, value)}[what]
        got = items[0] if len(items) == 1 else MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), items)
        stmts.assign(c, node.target, got)
        stmts.body(c, node.body)

    params = [p.local for p in (key, value) if isinstance(p, Get)]
    _each(c, "for_each_map_elem", [map.ref], params, bind, node.orelse, node, key, value)


def _walked(c: Checker, map: maps.MapOf, node: ast.AST) -> tuple[Expr, Expr]:
    """Key and value of a round: the key is read at once, the value is in place."""
    if not isinstance(map.decl, decl._Lookup | decl._Indexed) or map.decl.key is None or map.decl.value is None or isinstance(map.decl, decl.LpmTrie):
        raise c.error("unsupported", f"the kernel does not walk a {type(map.decl).__name__} for a program", node)
    span = c.span(node)
    key_kind = Ptr(map.decl.key, "value", writable=False)
    value_kind = Ptr(map.decl.value, "value", origin=frozenset((Origin(map.decl),)))
    key, value = (Get(span, k, Local(n, rep(k))) for k, n in ((key_kind, "$key"), (value_kind, "$value")))
    return key, value


def _each(c: Checker, helper: str, args: list[Expr], params: list[Local], bind: Callable[[], None], orelse: list[ast.stmt],
          node: ast.AST, *values: Expr) -> None:
    args = [a if not arith.acts(a) else c.hold(a, "$n") for a in args]
    c.unit.need(c, versions.helper(helper), f"bpf_{helper}()", node)

    def check(this: Round) -> None:
        assert c.env is not None
        state = dict(c.env), c.held
        _loop_body(c, this, state, bind)
        this.over = state

    this, _ = settle(c, lambda: Each(c.span(node), helper, args, params), check, node)
    each = this.target.loop
    assert isinstance(each, Each)
    for local in each.carried:
        raise c.error("unsupported", f"a name ({local.name!r}) that stands for another struct in every round that the kernel calls", node,
                      help="copy its fields into one struct, or keep numbers")
    c.emit(each)
    _finish(c, this, orelse, each.orelse, node)


def for_each(c: Checker, map: maps.MapOf, function: Expr, node: ast.AST) -> Expr:
    """`m.for_each(f)`: f(key, value) for every entry, until it gives something true."""
    key, value = _walked(c, map, node)
    assert isinstance(node, ast.Call) and isinstance(key, Get) and isinstance(value, Get)
    return _called_back(c, "for_each_map_elem", [map.ref], [key.local, value.local], function, [memory.load(
        c, memory.deref(c, key, node), node), value], node)


def loop(c: Checker, count: Expr, function: Expr, node: ast.Call) -> Expr:
    """`bpf.loop(n, f)`: f(0), f(1), …, until it gives something true."""
    number = arith.integer(c, count, node.args[0])
    index = Local("$i", ("i64",))
    kind = Int(I64, 0, min(max(arith.kind_of(number).hi - 1, 0), (1 << 32) - 1))
    return _called_back(c, "loop", [number], [index], function, [Get(c.span(node), kind, index)], node)


def _called_back(c: Checker, helper: str, args: list[Expr], params: list[Local], function: Expr, values: list[Expr],
                 node: ast.Call) -> Expr:
    kind = function.kind
    callee = kind.value if isinstance(kind, Const) else None
    if not isinstance(callee, Closure) and not callable(callee):
        raise c.mismatch("a function is needed here", kind, node.args[-1])

    def bind() -> None:
        answer = functions.call(c, callee, list(values), {}, node)
        if answer.kind == NONE or answer.kind == POISON or c.env is None:
            if c.env is not None and not isinstance(answer, Lit | Get):
                c.emit(arith_eval(answer))
            return
        stop = truths.truth(c, c.hold(answer, "$stop"), node)
        fork = conds.decide(c, stop)
        yes, end = c.fork(*fork.yes, lambda: _leave(c, node)) if fork.yes is not None else ([], None)
        if isinstance(stop.kind, Const):
            if stop.kind.value:
                c.out += yes
            c.env = fork.no[0] if fork.no is not None else None
            return
        c.emit(If(c.span(node), fork.test, yes, []))
        c.env, c.held = fork.no if fork.no is not None else (None, frozenset())

    _each(c, helper, args, params, bind, [], node)
    return c.lit(None, node)


def _leave(c: Checker, node: ast.AST) -> None:
    target = c.frame.loops[-1]
    c.leave(target, Break(c.span(node), target.loop))


def arith_eval(value: Expr) -> Stmt:
    return Eval(value.span, value)
