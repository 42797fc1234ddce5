"""Loops: `while`, `for`, `break`, `continue`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..tree.kinds import Const, Int, Ptr
from ..tree.nodes import Arith, Block, Break, Compare, Continue, Get, Helper, Lit, Loop, Number, Set, Stmt
from ..tree.walk import walk
from . import conds, iterating, maps, stmts, truths
from .callbacks import _for_map
from .context import Checker, Path
from .iterators import Iteration
from .items import Unrolled, _enumerate, _for_items, _reversed, _unrolled, _zip
from .ranges import PLAIN, _for_range, _grant, _range
from .rounds import Round, _finish, _loop_body, settle


def _while(c: Checker, node: ast.While) -> None:
    def check(this: Round) -> None:
        loop = this.target.loop
        assert isinstance(loop, Loop)
        c.at(node)
        fork = conds.test(c, node.test)
        this.over = fork.no
        if isinstance(fork.test.kind, Const) and fork.test.kind.value and isinstance(fork.test, Lit):
            loop.test = None
        else:
            loop.test = truths.as_number(fork.test)
        _loop_body(c, this, fork.yes, lambda: stmts.body(c, node.body))

    _run(c, check, node.orelse, node)


def _returned(c: Checker) -> int:
    """How many returns lead out of the function, or the inlined one, so far."""
    return len(c.returns) + (len(c.frame.result.breaks) if c.frame.result is not None else 0)


def _tail_call(stmt: Stmt) -> bool:
    """Does a tail call leave for good somewhere in it?"""
    return any(isinstance(one, Helper) and one.name == "tail_call" for one in walk(stmt))


def _run(c: Checker, check: Callable[[Round], None], orelse: list[ast.stmt], node: ast.While) -> None:
    mark, returned = c.unit.mark(), _returned(c)
    aborts, c.function.aborts = c.function.aborts, False
    this, _ = settle(c, lambda: Loop(c.span(node)), check, node)
    loop = this.target.loop
    assert isinstance(loop, Loop)
    leaves = c.function.aborts or this.target.breaks or this.over is not None or _returned(c) > returned
    if not leaves and not c.unit.since(mark) and not any(_tail_call(s) for s in loop.body):
        c.unit.report(c.error("endless", "this loop never ends", node,
                              help="leave it by 'break' or 'return', or give it a condition that changes: 'for i in range(n)' counts"))
    c.function.aborts |= aborts
    _grant(c, loop, _rounds(loop))
    c.emit(loop)
    _finish(c, this, orelse, loop.orelse, node)


def _rounds(loop: Loop) -> int | None:
    """How often a `while` goes round at most, where it counts a number up or down to a constant."""
    match loop.test:
        case Compare(a=Get(local=local, kind=Int(lo=lo, hi=hi)), b=Number(value=end)):
            steps = [one.value for s in loop.body for one in walk(s) if isinstance(one, Set) and one.local is local]
            match steps:
                case [Arith(word="+" | "-", a=Get(local=again), b=Number(value=by))] if again is local and by:
                    return max(abs(end - lo), abs(hi - end)) // abs(by) if max(abs(lo), abs(hi)) < 1 << 20 else PLAIN
    return None


def _break(c: Checker, node: ast.Break) -> None:
    target = c.frame.loops[-1]
    c.leave(target, Break(c.span(node), target.loop))


def _continue(c: Checker, node: ast.Continue) -> None:
    target = c.frame.loops[-1]
    loop = target.loop
    if isinstance(target, Unrolled):
        c.leave(target.round, Break(c.span(node), target.round.loop))
        return
    assert not isinstance(loop, Block)
    stmt = Continue(c.span(node), loop)
    c.emit(stmt)
    assert c.env is not None
    target.continues.append(Path(c.env, c.held, stmt.moves))
    c.env = None


def _for(c: Checker, node: ast.For) -> None:
    if isinstance(node.iter, ast.Call):
        callee = c.expr(node.iter.func) if not isinstance(node.iter.func, ast.Attribute) else None
        word = callee.kind.value if callee is not None and isinstance(callee.kind, Const) else None
        special = ITERATORS.get(word) if isinstance(word, type) else None
        if special is not None:
            special(c, node, node.iter)
            return
        if isinstance(node.iter.func, ast.Attribute) and node.iter.func.attr in ("items", "keys", "values"):
            owner = c.expr(node.iter.func.value)
            map = maps.of(c, owner, node.iter) if isinstance(owner.kind, Const | Ptr) else None
            if map is not None:
                _for_map(c, node, map, node.iter.func.attr)
                return
            if isinstance(owner.kind, Const) and isinstance(owner.kind.value, dict):
                _unrolled(c, node, [c.lit(v, node.iter) for v in getattr(owner.kind.value, node.iter.func.attr)()])
                return
    held_ = c.happened(c.expr(node.iter))
    if isinstance(held_.kind, Const) and isinstance(held_.kind.value, range):
        r = held_.kind.value
        _for_range(c, node, [Number(c.span(node), v) for v in (r.start, r.stop, r.step)])
        return
    if isinstance(held_.kind, Const) and isinstance(held_.kind.value, Iteration):
        iterating.loop(c, node, held_.kind.value)
        return
    map = maps.of(c, held_, node.iter) if isinstance(held_.kind, Const | Ptr) else None
    if map is not None:
        _for_map(c, node, map, "items" if isinstance(node.target, ast.Tuple) else "keys")
        return
    _for_items(c, node, [held_], lambda items: items[0])


ITERATORS: dict[Any, Callable[[Checker, ast.For, ast.Call], None]] = {
    range: _range, enumerate: _enumerate, zip: _zip, reversed: _reversed,
}
LOOPS: dict[type[ast.stmt], Callable[[Checker, Any], None]] = {
    ast.While: _while, ast.For: _for, ast.Break: _break, ast.Continue: _continue,
}
