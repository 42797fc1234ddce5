"""Control flow: if, loops, with, match, return; each a function that lowers one syntax node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..dsl.layout import ArrayType
from ..dsl.maps import RingBuf
from ..ir.function import Const
from . import arith, conds, exprs, maps, memory
from .flow import Loop, branch, close_loop, enter, goto, open_loop
from .stmts import assign, assign_name, assigned, body
from .values import I64, Int, Known, Many, Place, Pointer, Val

if TYPE_CHECKING:
    from .context import Lowering


def _if(f: Lowering, node: ast.If) -> None:
    yes, no, end = f.join("then"), f.join("else"), f.join("endif")
    conds.test(f, node.test, yes, no)
    enter(f, yes)
    body(f, node.body)
    goto(f, end)
    enter(f, no)
    body(f, node.orelse)
    goto(f, end)
    enter(f, end)


def _while(f: Lowering, node: ast.While) -> None:
    loop = open_loop(f, f.unit.key(f, node), assigned([node.test, *node.body]))
    inside, over = f.join("body"), f.join("over")
    conds.test(f, node.test, inside, over)
    f.frame.loops.append(loop)
    enter(f, inside)
    body(f, node.body)
    goto(f, loop.again)
    f.frame.loops.pop()
    close_loop(f, loop)
    enter(f, over)
    body(f, node.orelse)
    goto(f, loop.done)
    enter(f, loop.done)


def _for(f: Lowering, node: ast.For) -> None:
    if isinstance(node.iter, ast.Call):
        callee = f.value(node.iter.func)
        if callee == Known(range):
            _for_range(f, node, [f.integer(exprs.rvalue(f, a), a) for a in node.iter.args])
            return
        if callee == Known(enumerate) and len(node.iter.args) == 1:
            _for_items(f, node, exprs.rvalue(f, node.iter.args[0]), numbered=True)
            return
    held = exprs.rvalue(f, node.iter)
    if isinstance(held, Known) and isinstance(held.value, range):
        r = held.value
        _for_range(f, node, [arith.constant(v) for v in (r.start, r.stop, r.step)])
        return
    _for_items(f, node, held, numbered=False)


def _for_range(f: Lowering, node: ast.For, args: list[Int]) -> None:
    if not 1 <= len(args) <= 3:
        raise f.error("arguments", f"range() takes 1 to 3 arguments, {len(args)} given", node.iter)
    start, stop = (arith.constant(0), args[0]) if len(args) == 1 else (args[0], args[1])
    step = args[2] if len(args) == 3 else arith.constant(1)
    if not arith.is_exact(step) or step.lo == 0:
        raise f.error("unsupported", "the step of range() must be a constant other than 0", node.iter)
    if not arith.fits((stop.lo, stop.hi), I64) or not arith.fits((start.lo, start.hi), I64):
        raise f.error("mixed-sign", "the bounds of range() must fit into 63 bits", node.iter,
                      help="take the smaller: 'range(min(n, 1000))'")
    up = step.lo > 0
    known = (start.lo, max(start.lo, stop.hi - 1)) if up else (min(start.hi, stop.lo + 1), start.hi)

    def bind() -> None:
        assign(f, node.target, Int(counter().ir, I64, *known))

    def counter() -> Int:
        value = f.env[hidden]
        assert isinstance(value, Int)
        return value._replace(lo=known[0], hi=known[1] + (1 if up else 0)) if up else value

    hidden = f"$i{f.unit.key(f, node)}"
    f.env[hidden] = start if not arith.is_exact(start) else Known(start.lo)
    _counted(f, node, hidden, lambda: arith.compare(f, "lt" if up else "gt", counter(), stop), bind, step.lo)


def _counted(f: Lowering, node: ast.For, hidden: str, more: Callable[[], Any], bind: Callable[[], None], step: int) -> None:
    """A loop over a hidden counter: `more` is its test, `bind` sets the visible variables at the top of the body."""
    loop = open_loop(f, f.unit.key(f, node), assigned([node.target, *node.body]))
    inside, over = f.join("body"), f.join("over")
    branch(f, more(), inside, over)
    f.frame.loops.append(loop)
    enter(f, inside)
    if f.reachable:
        bind()
    body(f, node.body)
    goto(f, loop.again)
    f.frame.loops.pop()
    enter(f, loop.again)
    if f.reachable:
        f.at(node)
        now = f.integer(f.env[hidden], node)
        f.env[hidden] = Int(f.op("add", now.ir, step), I64, I64.lo, I64.hi)
        loop.again = f.join("next")
        goto(f, loop.again)
    close_loop(f, loop)
    enter(f, over)
    f.env.pop(hidden, None)
    body(f, node.orelse)
    goto(f, loop.done)
    enter(f, loop.done)
    f.env.pop(hidden, None)


def _for_items(f: Lowering, node: ast.For, held: Val, *, numbered: bool) -> None:
    """`for x in array`: an array in memory, or a constant sequence, which is unrolled."""
    if isinstance(held, Known) and isinstance(held.value, list | tuple | str | bytes):
        held = Many(tuple(Known(v) for v in held.value))
    if isinstance(held, Pointer):
        held = memory.deref(f, held, node.iter)
    if isinstance(held, Many):
        _unrolled(f, node, held, numbered)
        return
    if not isinstance(held, Place) or not isinstance(held.layout, ArrayType):
        raise f.ir_type_error("'for' goes over range(…), an array or a constant sequence", held, node.iter)
    array, hidden = held, f"$i{f.unit.key(f, node)}"
    count = held.layout.count
    f.env[hidden] = Known(0)

    def index() -> Int:
        value = f.env[hidden]
        return Int(value.ir, I64, 0, count) if isinstance(value, Int) else arith.constant(0)

    def bind() -> None:
        at = index()
        item = memory.load(f, memory.element(f, array, at._replace(hi=count - 1), node.iter), node.iter)
        assign(f, node.target, Many((at, item)) if numbered else item)

    _counted(f, node, hidden, lambda: arith.compare(f, "lt", index(), arith.constant(count)), bind, 1)


def _unrolled(f: Lowering, node: ast.For, items: Many, numbered: bool) -> None:
    done = f.join("done")
    for i, item in enumerate(items.items):
        loop = Loop(done.block, {}, {}, f.join("again"), done, 0)
        assign(f, node.target, Many((Known(i), item)) if numbered else item)
        f.frame.loops.append(loop)
        body(f, node.body)
        goto(f, loop.again)
        f.frame.loops.pop()
        enter(f, loop.again)
    if f.reachable:
        body(f, node.orelse)
    goto(f, done)
    enter(f, done)


def _break(f: Lowering, node: ast.Break) -> None:
    loop = f.frame.loops[-1]
    f.leave(node, loop)
    goto(f, loop.done)


def _continue(f: Lowering, node: ast.Continue) -> None:
    loop = f.frame.loops[-1]
    f.leave(node, loop)
    goto(f, loop.again)


def _return(f: Lowering, node: ast.Return) -> None:
    result = exprs.rvalue(f, node.value) if node.value is not None else Known(None)
    f.at(node)
    f.leave(node, None)
    f.unit.give_back(f, result, node)


def _assert(f: Lowering, node: ast.Assert) -> None:
    yes = f.join("held")
    no = f.abort_join()
    conds.test(f, node.test, yes, no)
    enter(f, yes)


def _with(f: Lowering, node: ast.With) -> None:
    if len(node.items) != 1:
        f.unsupported("several things in one 'with'", node, "nest them")
    item = node.items[0]
    call = item.context_expr
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reserve":
        owner = f.value(call.func.value)
        if isinstance(owner, Known) and isinstance(owner.value, RingBuf):
            _with_reserve(f, node, owner.value, item.optional_vars)
            return
    f.unsupported("this 'with'", node, "'with ringbuf.reserve() as e:' is")


def _with_reserve(f: Lowering, node: ast.With, ring: RingBuf[Any], target: ast.expr | None) -> None:
    """A ring buffer record: filled in the block, submitted at its end whichever way it is left; skipped when full."""
    record = maps.reserve(f, ring, node)
    room, full = f.join("room"), f.join("full")
    branch(f, record.present or Const(1), room, full, record.present)
    enter(f, room)
    if target is not None:
        assign(f, target, record._replace(present=None))

    def submit(done: bool) -> None:
        f.unit.call_helper(f, "ringbuf_submit" if done else "ringbuf_discard", record.ir, 0)

    f.cleanups.append((len(f.frame.loops), len(f.frames), submit))
    body(f, node.body)
    f.cleanups.pop()
    if f.reachable:
        f.at(node)
        submit(True)
        if isinstance(target, ast.Name):
            f.env.pop(target.id, None)
    goto(f, full)
    enter(f, full)


def _match(f: Lowering, node: ast.Match) -> None:
    subject = exprs.rvalue(f, node.subject)
    end = f.join("endmatch")
    for case in node.cases:
        hit, miss = f.join("case"), f.join("next")
        _pattern(f, subject, case.pattern, hit, miss)
        enter(f, hit)
        if case.guard is not None and f.reachable:
            guarded = f.join("guard")
            conds.test(f, case.guard, guarded, miss)
            enter(f, guarded)
        body(f, case.body)
        goto(f, end)
        enter(f, miss)
    goto(f, end)
    enter(f, end)


def _pattern(f: Lowering, subject: Val, pattern: ast.pattern, hit: Any, miss: Any) -> None:
    match pattern:
        case ast.MatchValue(value=wanted):
            conds.compare(f, ast.Eq(), subject, f.value(wanted), pattern, hit, miss)
        case ast.MatchSingleton(value=None):
            conds.compare(f, ast.Is(), subject, Known(None), pattern, hit, miss)
        case ast.MatchOr(patterns=patterns):
            for part in patterns:
                other = f.join("or")
                _pattern(f, subject, part, hit, other)
                enter(f, other)
            goto(f, miss)
        case ast.MatchAs(pattern=None, name=name):
            if name:
                assign_name(f, ast.copy_location(ast.Name(name, ast.Store()), pattern), subject)
            goto(f, hit)
        case _:
            f.unsupported("this pattern", pattern, "numbers, constants, 'a | b' and '_' are")


CONTROL: dict[type[ast.stmt], Callable[[Lowering, Any], None]] = {
    ast.If: _if, ast.While: _while, ast.For: _for, ast.Break: _break, ast.Continue: _continue, ast.Return: _return,
    ast.Assert: _assert, ast.With: _with, ast.Match: _match,
}
