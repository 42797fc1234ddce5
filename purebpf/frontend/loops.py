"""Loops. What a variable is at a loop's head is found by going round until nothing changes any more: the first round
supposes that it stays what it was before the loop, and numbers whose bounds still move are widened to their type."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dsl import maps as decl
from ..dsl.layout import ArrayType
from ..tree.convert import coerce
from ..tree.kinds import (
    BOOL, I64, NONE, POISON, U64, Broken, Const, Int, Kind, Ptr, Tuple, describe, exact, fits, is_maybe, join, rep, widen,
)
from ..tree.nodes import (
    Arith, Block, Both, Break, Cast, Continue, Each, Either, Element, Expr, Get, Guard, If, IfElse, Lit, Local, Loop, MakeTuple, Number,
    SameBytes, Seq, Set, Stmt, Undef,
)
from . import arith, conds, functions, maps, memory, stmts
from ..tree.walk import assigned, walk
from .context import Binding, Checker, Closure, Env, Path, Target, held

ROUNDS = 24  # after which what still changes is called a conflict
TRUTH = Int(BOOL, 0, 1, True)


class Round:
    """One attempt at a loop: `target` collects its exits; `over` is where it ends by itself (None: never)."""

    def __init__(self, loop: Loop | Each) -> None:
        self.target = Target(loop)
        self.over: conds.State | None = None


def settle(c: Checker, make: Callable[[], Loop | Each], check: Callable[[Round], None], node: ast.AST,
           rounds: int = 1 << 23) -> tuple[Round, list[Path]]:
    """Check a loop: `check` goes through one round, from the head to its `continue`s. Gives the final round, and the
    paths that come back to the head. The checker stands nowhere afterwards. `rounds`: how often it goes round at most;
    the kernel grants no loop more than 8 million."""
    entry = Path(dict(c.env or {}), c.held, c.out)
    head: Env = dict(entry.env)
    mark = c.unit.mark()
    growth: dict[tuple[str, str], int] = {}
    for attempt in range(ROUNDS):
        c.unit.reset(mark)
        c.env, c.held = dict(head), entry.held
        inlined = c.inlined
        this = Round(make())
        check(this)
        c.inlined = inlined
        new = _joined_head(head, this.target.continues, attempt, growth, rounds)
        if new is None:
            _connect(c, entry, head, this.target.continues)
            return this, this.target.continues
        head = new
    raise AssertionError("a loop's variables do not settle")


def _joined_head(head: Env, back: list[Path], attempt: int, growth: dict[tuple[str, str], int], rounds: int) -> Env | None:
    """The head's variables after another round; None if nothing has changed."""
    new, changed = dict(head), False
    for name, binding in head.items():
        kind = binding.kind
        for path in back:
            other = path.env.get(name)
            if other is binding or other is not None and other.kind == POISON:
                continue  # what is wrong in a round that supposes too little says nothing about the next
            if other is None:
                kind = Broken("unassigned", f"{name.split('@')[0]!r} is deleted in the loop", "")
                break
            kind = join(kind, other.kind, name.split("@")[0])
        if attempt >= 1:
            kind = _grown(name, binding.kind, kind, growth, rounds)
        if kind == binding.kind:
            continue
        changed = True
        if attempt >= 3:
            kind = widen(binding.kind, kind)
        if attempt > ROUNDS - 4 and not isinstance(kind, Broken):
            kind = Broken("type-conflict", f"{name.split('@')[0]!r} is another kind of thing whenever the loop comes round", "use two variables")
        new[name] = _head_binding(binding, kind, name)
    return new if changed else None


def _grown(name: str, old: Kind, new: Kind, growth: dict[tuple[str, str], int], rounds: int) -> Kind:
    """A number that a round makes larger (or smaller) by at most so much is, after all of them, at most that much times
    their number away: sums stay what they are, and only what grows faster is widened to its type."""
    if not isinstance(old, Int) or not isinstance(new, Int):
        return widen(old, new)
    lo = _reach(growth, (name, "lo"), old.lo, new.lo, rounds)
    hi = _reach(growth, (name, "hi"), old.hi, new.hi, rounds)
    if not fits(lo, hi, new.type):
        lo, hi = (lo if lo >= new.type.lo else new.type.lo), (hi if hi <= new.type.hi else new.type.hi)
    return Int(new.type, lo, hi, new.seen)


def _reach(growth: dict[tuple[str, str], int], key: tuple[str, str], old: int, new: int, rounds: int) -> int:
    """Where a bound ends that a round moves from `old` to `new`."""
    step = new - old
    if not step or (step > 0) != (key[1] == "hi"):
        return old
    if key in growth:
        return old if abs(step) <= growth[key] else new
    growth[key] = abs(step)
    return old + step * rounds


def _head_binding(binding: Binding, kind: Kind, name: str) -> Binding:
    if isinstance(kind, Broken):
        return Binding(None, kind)
    local = binding.local
    if local is None or local.rep != rep(kind):
        local = Local(name.split("@")[0], rep(kind))
    return Binding(local, kind)


def _connect(c: Checker, entry: Path, head: Env, back: list[Path]) -> None:
    """Moves at the ends of all paths into the head."""
    for name, binding in head.items():
        if binding.local is None or not binding.local.rep:
            continue
        for path in (entry, *back):
            came = path.env[name]
            if came.local is not binding.local or came.kind != binding.kind and rep(came.kind) != rep(binding.kind):
                path.moves.append(Set(c.span(), binding.local, coerce(held(came, c.span()), binding.kind)))


def _finish(c: Checker, this: Round, orelse: list[ast.stmt], into: list[Stmt], node: ast.AST) -> None:
    """What follows a loop: `else` where it ended by itself, then all ways out together."""
    paths: list[Path | None] = []
    if this.over is not None:
        body, path = c.fork(*this.over, lambda: stmts.body(c, orelse))
        into += body
        if path is not None:
            paths.append(Path(path.env, path.held, into))
    c.at(node)
    c.merge([*paths, *this.target.breaks])


# --- while -----------------------------------------------------------------------------------------------------------


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
            loop.test = conds.as_number(fork.test)
        _loop_body(c, this, fork.yes, lambda: stmts.body(c, node.body))

    _run(c, check, node.orelse, node)


def _loop_body(c: Checker, this: Round, state: conds.State | None, check: Callable[[], None]) -> None:
    """The body of a loop, which goes round at its end."""
    if state is None:
        c.env = None
        return
    c.frame.loops.append(this.target)
    body, path = c.fork(state[0], state[1], check)
    c.frame.loops.pop()
    loop = this.target.loop
    assert not isinstance(loop, Block)
    loop.body = body
    if path is not None:
        this.target.continues.append(Path(path.env, path.held, body))


def _run(c: Checker, check: Callable[[Round], None], orelse: list[ast.stmt], node: ast.AST) -> None:
    this, _ = settle(c, lambda: Loop(c.span(node)), check, node)
    loop = this.target.loop
    assert isinstance(loop, Loop)
    _grant(c, loop, _rounds(loop))
    c.emit(loop)
    _finish(c, this, orelse, loop.orelse, node)


def _rounds(loop: Loop) -> int | None:
    """How often a `while` goes round at most, where it counts a number up or down to a constant."""
    match loop.test:
        case arith.Compare(a=Get(local=local, kind=Int(lo=lo, hi=hi)), b=Number(value=end)):
            steps = [s.value for s in loop.body for s in walk(s) if isinstance(s, Set) and s.local is local]
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


# --- for -------------------------------------------------------------------------------------------------------------


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
    held_ = c.expr(node.iter)
    if isinstance(held_.kind, Const) and isinstance(held_.kind.value, range):
        r = held_.kind.value
        _for_range(c, node, [Number(c.span(node), v) for v in (r.start, r.stop, r.step)])
        return
    map = maps.of(c, held_, node.iter) if isinstance(held_.kind, Const | Ptr) else None
    if map is not None:
        _for_map(c, node, map, "items" if isinstance(node.target, ast.Tuple) else "keys")
        return
    _for_items(c, node, [held_], lambda items: items[0])


def _range(c: Checker, node: ast.For, call: ast.Call) -> None:
    if call.keywords:
        raise c.error("arguments", "range() takes no keyword arguments", call)
    args = [arith.integer(c, c.expr(a), a) for a in call.args]
    if not 1 <= len(args) <= 3:
        raise c.error("arguments", f"range() takes 1 to 3 arguments, {len(args)} given", call)
    _for_range(c, node, args)


def _for_range(c: Checker, node: ast.For, args: list[Expr]) -> None:
    span = c.span(node)
    start, stop = (Number(span, 0), args[0]) if len(args) == 1 else (args[0], args[1])
    step = args[2] if len(args) == 3 else Number(span, 1)
    if arith.constant(step) == 0:
        raise c.error("constant", "the step of range() must not be 0", node.iter)
    start, stop, step = c.hold(start, "$start"), c.hold(stop, "$stop"), c.hold(step, "$step")
    by = arith.kind_of(step)
    if by.lo < 0 < by.hi or by.lo == 0 or by.hi == 0:
        return _for_count(c, node, start, stop, step)
    up = by.lo > 0
    a, z = arith.kind_of(start), arith.kind_of(stop)
    unsigned = a.lo >= 0 and z.lo >= 0 and (a.hi > I64.hi or z.hi > I64.hi)
    type = U64 if unsigned else I64
    if not fits(a.lo, a.hi, type) or not fits(z.lo, z.hi, type):
        raise c.error("mixed-sign", "one bound of this range is a u64, the other may be negative", node.iter, help="cast one of them")
    if abs(by.lo) != 1 or abs(by.hi) != 1:
        far = z.hi + abs(by.hi) > type.hi if up else z.lo - abs(by.lo) < type.lo
        if far:
            return _for_count(c, node, start, stop, step)
    lo, hi = (a.lo, max(a.lo, z.hi - 1)) if up else (min(a.hi, z.lo + 1), a.hi)
    walked = arith.is_exact(a) and arith.is_exact(by) and z.hi - a.lo <= PLAIN
    seen = 2 if walked and z.seen else min(a.seen, z.seen, 1)
    counter = Local(f"${_shown(node.target)}", ("i64",))
    c.emit(Set(span, counter, _as(start, Int(type, a.lo, a.hi))))
    most = max(z.hi - a.lo if up else a.hi - z.lo, 0) // abs(by.lo if abs(by.lo) < abs(by.hi) else by.hi)
    inside = Get(span, Int(type, lo, hi, seen), counter)
    now = Get(span, Int(type, min(lo, a.lo), max(hi, a.hi, z.hi) if up else hi), counter)
    more = arith.Compare(span, TRUTH, "lt" if up else "gt", now, stop)
    once = arith._decided("lt" if up else "gt", a, z) is True
    next_kind = Int(type, type.lo, type.hi)
    step_stmt = Set(span, counter, Arith(span, next_kind, "+", inside, step))
    _grant(c, _counted(c, node, more, once, lambda: inside, step_stmt, rounds=min(most + 1, 1 << 23)), most)


PLAIN, TRIED = 1 << 10, 600


def _grant(c: Checker, loop: Loop, rounds: int | None) -> None:
    """Choose the loop's form. The verifier walks a plain loop round by round: so many ways through the body for so many
    rounds are too much for it. Where the kernel counts rounds itself, it looks at the body until nothing new shows."""
    decisions = sum(isinstance(n, If | IfElse | Both | Either | Guard | Element | SameBytes | Loop) for s in loop.body for n in walk(s))
    steps = any("packet" in local.rep for s in loop.body for local in assigned(s) if not local.name.startswith("$") and local.name != "at")
    if loop.walked and rounds is not None and rounds <= PLAIN:
        return
    tried = 0 if steps and rounds is not None and rounds <= PLAIN else max(decisions, 1)  # a cursor at a known place never looks alike
    loop.granted = c.unit.target.may_goto and (rounds is None or rounds > PLAIN or rounds * tried > TRIED)
    c.function.aborts |= loop.granted


def _shown(target: ast.expr) -> str:
    return target.id if isinstance(target, ast.Name) else "i"


def _as(value: Expr, kind: Int) -> Expr:
    return Number(value.span, value.value, exact(value.value)) if isinstance(value, Number) else Cast(value.span, kind, value)


def _for_count(c: Checker, node: ast.For, start: Expr, stop: Expr, step: Expr) -> None:
    """A range whose step has no known sign, or that would run over the end of 64 bits: its rounds are counted."""
    span = c.span(node)
    a, z, by = (arith.kind_of(v) for v in (start, stop, step))
    word = Int.of(I64)
    for kind in (a, z, by):
        if not fits(kind.lo, kind.hi, I64) and not fits(kind.lo, kind.hi, U64):
            raise c.error("mixed-sign", "the bounds of range() must fit into 64 bits", node.iter)
    if a.hi > I64.hi or z.hi > I64.hi or by.hi > I64.hi:
        raise c.error("mixed-sign", "a range of u64 takes a step whose sign is known", node.iter, help="write a 'while' loop")
    count = Local("$rounds", ("i64",))
    zero = Number(span, 0)

    def rounds(far: Expr, near: Expr, size: Expr) -> Expr:
        """How many steps of `size` lead from near to far: (far - near - 1) // size + 1, unsigned; 0 if far is not beyond."""
        gap = Cast(span, Int.of(U64), Arith(span, word, "-", Arith(span, word, "-", far, near), Number(span, 1)))
        many = Arith(span, Int.of(U64), "+", Arith(span, Int.of(U64), "//", gap, size), Number(span, 1))
        return arith.Select(span, Int.of(U64), arith.Compare(span, TRUTH, "lt", near, far), many, Number(span, 0, Int.of(U64)))

    up_size = Cast(span, Int(U64, 1, I64.hi + 1), step)
    down_size = Cast(span, Int(U64, 1, I64.hi + 1), Arith(span, word, "-", zero, step))
    if by.lo >= 0:
        number: Expr = rounds(stop, start, up_size)
    elif by.hi <= 0:
        number = rounds(start, stop, down_size)
    else:
        positive = arith.Compare(span, TRUTH, "gt", step, zero)
        number = arith.Select(span, Int.of(U64), positive, rounds(stop, start, up_size), rounds(start, stop, down_size))
    if by.lo <= 0 <= by.hi:
        c.emit(arith_guard(c, arith.Compare(span, TRUTH, "ne", step, zero), node))
    c.emit(Set(span, count, number))
    current = Local(f"${_shown(node.target)}", ("i64",))
    c.emit(Set(span, current, start))
    left = Get(span, Int.of(U64), count)
    more = arith.Compare(span, TRUTH, "ne", left, zero)
    value = Get(span, Int(I64, min(a.lo, z.lo), max(a.hi, z.hi)), current)
    body = [Set(span, count, Arith(span, Int.of(U64), "-", left, Number(span, 1))),
            Set(span, current, Arith(span, word, "+", Get(span, word, current), step))]
    _grant(c, _counted(c, node, more, False, lambda: value, *body), None)


def arith_guard(c: Checker, test: Expr, node: ast.AST) -> Stmt:
    from ..tree.nodes import Guard

    c.function.aborts = True
    return Guard(c.span(node), test)


def _counted(c: Checker, node: ast.For, more: Expr, once: bool, value: Callable[[], Expr], *step: Stmt, rounds: int = 1 << 23) -> Loop:
    """A loop over a hidden counter: `more` is its test, `value` what the visible variable is in a round."""
    missing: dict[str, Binding] = {}

    def check(this: Round) -> None:
        loop = this.target.loop
        assert isinstance(loop, Loop) and c.env is not None
        env, held_ = dict(c.env), c.held
        loop.test, loop.once = more, once
        loop.step = list(step)

        def inside() -> None:
            c.at(node)
            stmts.assign(c, node.target, value())
            stmts.body(c, node.body)

        _loop_body(c, this, (env, held_), inside)
        after = dict(env)
        if once:
            after |= _assigned_in(c, this.target.continues, env, missing)
        this.over = after, held_

    before = set(c.env or {})
    outer = c.out
    this, back = settle(c, lambda: Loop(c.span(node)), check, node, rounds)
    loop = this.target.loop
    assert isinstance(loop, Loop)
    for name, binding in missing.items():
        if name not in before and binding.local is not None and binding.local.rep and this.over is not None and name in this.over[0]:
            outer.append(Set(c.span(node), binding.local, Undef(c.span(node), binding.kind)))
            for path in back:
                if path.env[name].local is not binding.local:
                    path.moves.append(Set(c.span(node), binding.local, coerce(held(path.env[name], c.span(node)), binding.kind)))
    c.emit(loop)
    _finish(c, this, node.orelse, loop.orelse, node)
    return loop


def _assigned_in(c: Checker, back: list[Path], env: Env, missing: dict[str, Binding]) -> Env:
    """Variables that a loop which runs at least once assigns in every round: they are known behind it."""
    found: Env = {}
    if not back:
        return found
    for name in back[0].env:
        if name in env and not _unassigned(env[name]) or name.startswith("$"):
            continue
        kinds = [p.env[name].kind for p in back if name in p.env]
        if len(kinds) < len(back) or any(isinstance(k, Broken) for k in kinds):
            continue
        kind = kinds[0]
        for other in kinds[1:]:
            kind = join(kind, other, name)
        if isinstance(kind, Broken):
            continue
        local = back[0].env[name].local
        if local is None or local.rep != rep(kind) or any(p.env[name].local is not local for p in back):
            local = Local(name.split("@")[0], rep(kind))
        missing[name] = found[name] = Binding(local, kind)
    return found


def _unassigned(binding: Binding) -> bool:
    return isinstance(binding.kind, Broken) and binding.kind.code == "unassigned"


# --- over things -----------------------------------------------------------------------------------------------------


def _enumerate(c: Checker, node: ast.For, call: ast.Call) -> None:
    start = 0
    for keyword in call.keywords:
        if keyword.arg != "start":
            raise c.error("arguments", f"enumerate() has no parameter {keyword.arg!r}", call)
        call = ast.copy_location(ast.Call(call.func, [*call.args, keyword.value], []), call)
    if not 1 <= len(call.args) <= 2:
        raise c.error("arguments", f"enumerate() takes 1 or 2 arguments, {len(call.args)} given", call)
    if len(call.args) == 2:
        known = arith.constant(c.expr(call.args[1]))
        if known is None:
            c.unsupported("enumerate() from a number that is only known at run time", call.args[1])
        start = known
    _for_items(c, node, [c.expr(call.args[0])], lambda items: items[0], numbered=start)


def _zip(c: Checker, node: ast.For, call: ast.Call) -> None:
    things = [c.expr(a) for a in call.args]

    def together(items: list[Expr]) -> Expr:
        return MakeTuple(c.span(node), Tuple(tuple(i.kind for i in items)), tuple(items))

    _for_items(c, node, things, together)


def _reversed(c: Checker, node: ast.For, call: ast.Call) -> None:
    if len(call.args) != 1:
        raise c.error("arguments", f"reversed() takes 1 argument, {len(call.args)} given", call)
    inner = call.args[0]
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and c.find(inner.func.id) is None and inner.func.id == "range":
        args = [arith.constant(c.expr(a)) for a in inner.args]
        if None not in args:
            r = range(*(a for a in args if a is not None))[::-1]
            _for_range(c, node, [Number(c.span(node), v) for v in (r.start, r.stop, r.step)])
            return
        if len(args) <= 2:
            span = c.span(node)
            values = [arith.integer(c, c.expr(a), a) for a in inner.args]
            start, stop = (Number(span, 0), values[0]) if len(values) == 1 else (values[0], values[1])
            first = arith.integer(c, arith.binary(c, "-", stop, Number(span, 1), node), node)
            last = arith.integer(c, arith.binary(c, "-", start, Number(span, 1), node), node)
            _for_range(c, node, [first, last, Number(span, -1)])
            return
    _for_items(c, node, [c.expr(inner)], lambda items: items[0], backwards=True)


def _for_items(c: Checker, node: ast.For, things: list[Expr], value: Callable[[list[Expr]], Expr], *, numbered: int | None = None,
               backwards: bool = False) -> None:
    """`for x in things`: arrays in memory by a counter, constants and tuples unrolled."""
    for thing in things:
        if is_maybe(thing.kind):
            raise arith.may_be_none(c, thing, node.iter)
    sizes = [_length(thing) for thing in things]
    if None in sizes:
        thing = things[sizes.index(None)]
        raise c.mismatch("'for' goes over range(…), an array, a map or a constant sequence", thing.kind, node.iter)
    count = min(s for s in sizes if s is not None)
    in_memory = any(isinstance(t.kind, Ptr) for t in things)
    if not in_memory:
        columns = [_constants(c, t, node) for t in things]
        rows = [value(list(items)) for items in zip(*columns)]
        if backwards:
            rows.reverse()
        _unrolled(c, node, _number(c, rows, numbered, node))
        return
    arrays = [_array(c, t, node) for t in things]
    span = c.span(node)
    counter = Local(f"${_shown(node.target)}", ("i64",))
    c.emit(Set(span, counter, Number(span, 0)))
    inside = Get(span, Int(I64, 0, max(count - 1, 0), 2 if count <= PLAIN else 1), counter)
    more = arith.Compare(span, TRUTH, "lt", Get(span, Int(I64, 0, count), counter), Number(span, count))

    def item() -> Expr:
        at: Expr = inside
        if backwards:
            at = Arith(span, Int(I64, 0, max(count - 1, 0), True), "-", Number(span, count - 1), inside)
        items = [memory.load(c, memory.element(c, a, at, node.iter), node.iter) for a in arrays]
        found = value(items)
        if numbered is None:
            return found
        index: Expr = inside if not numbered else Arith(span, Int(I64, numbered, numbered + count), "+", inside, Number(span, numbered))
        return MakeTuple(span, Tuple((index.kind, found.kind)), (index, found))

    step = Set(span, counter, Arith(span, Int(I64, 0, count), "+", inside, Number(span, 1)))
    _counted(c, node, more, count > 0, item, step, rounds=count)


def _length(thing: Expr) -> int | None:
    kind = thing.kind
    match kind:
        case Const(list() | tuple() | str() | bytes() | dict() | set() | frozenset() | range() as v):
            return len(v)
        case Const(v) if isinstance(v, type) and hasattr(v, "__members__"):
            return len(v.__members__)
        case Tuple(items=items):
            return len(items)
        case Ptr(target=ArrayType(count=count)):
            return count
        case _:
            return None


def _constants(c: Checker, thing: Expr, node: ast.For) -> list[Expr]:
    kind = thing.kind
    if isinstance(kind, Const):
        value: Any = kind.value
        return [c.lit(v, node.iter) for v in value]
    return conds.items_of(c, thing) or []


def _array(c: Checker, thing: Expr, node: ast.For) -> Expr:
    kind = thing.kind
    if isinstance(kind, Ptr):
        return memory.deref(c, c.hold(memory.settle(c, thing, node), "$array"), node.iter)
    items = _constants(c, thing, node)
    table = memory.constant_array(c, [i.kind.value for i in items if isinstance(i.kind, Const)], node) if items else None
    if table is None or not all(isinstance(i.kind, Const) for i in items):
        raise c.mismatch("an array goes together with arrays and constant numbers here", thing.kind, node.iter)
    return table


def _number(c: Checker, rows: list[Expr], numbered: int | None, node: ast.For) -> list[Expr]:
    if numbered is None:
        return rows
    return [_numbered(c, i, row, node) for i, row in enumerate(rows, numbered)]


def _numbered(c: Checker, i: int, row: Expr, node: ast.For) -> Expr:
    if isinstance(row, Lit):
        return c.lit((i, row.kind.value), node)  # type: ignore[union-attr]  # a Lit's kind is a Const
    return MakeTuple(c.span(node), Tuple((Const(i), row.kind)), (c.lit(i, node), row))


def _unrolled(c: Checker, node: ast.For, items: list[Expr]) -> None:
    """A round a value, one after another."""
    whole = Block(c.span(node))
    done = Target(whole)
    outer, c.out = c.out, whole.body
    for item in items:
        if c.env is None:
            break
        once = Block(c.span(node))
        this = Target(once)
        c.frame.loops.append(Unrolled(done, this))
        inner, c.out = c.out, once.body
        c.at(node)
        stmts.assign(c, node.target, item)
        stmts.body(c, node.body)
        end = c.path()
        c.out = inner
        c.frame.loops.pop()
        c.emit(once)
        c.at(node)
        c.merge([end, *this.breaks])
    if c.env is not None:
        stmts.body(c, node.orelse)
    end = c.path()
    c.out = outer
    c.emit(whole)
    c.at(node)
    c.merge([end, *done.breaks])


class Unrolled(Target):
    """A round of an unrolled loop: `break` leaves the whole, `continue` the round."""

    __slots__ = ("round",)

    def __init__(self, whole: Target, this: Target) -> None:
        super().__init__(whole.loop)
        self.breaks, self.round = whole.breaks, this


# --- rounds that the kernel calls ------------------------------------------------------------------------------------


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
    from ..tree.kinds import Origin

    key_kind = Ptr(map.decl.key, "value", writable=False)
    value_kind = Ptr(map.decl.value, "value", origin=frozenset((Origin(map.decl),)))
    key, value = (Get(span, k, Local(n, rep(k))) for k, n in ((key_kind, "$key"), (value_kind, "$value")))
    return key, value


def _each(c: Checker, helper: str, args: list[Expr], params: list[Local], bind: Callable[[], None], orelse: list[ast.stmt],
          node: ast.AST, *values: Expr) -> None:
    args = [a if not arith.acts(a) else c.hold(a, "$n") for a in args]
    c.unit.need("helper", "loop" if helper == "loop" else "for_each_map_elem", c, node)

    def check(this: Round) -> None:
        assert c.env is not None
        state = dict(c.env), c.held
        _loop_body(c, this, state, bind)
        this.over = state

    this, _ = settle(c, lambda: Each(c.span(node), helper, args, params), check, node)
    each = this.target.loop
    assert isinstance(each, Each)
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
        stop = conds.truth(c, c.hold(answer, "$stop"), node)
        fork = conds.decide(c, stop)
        yes, end = c.fork(*fork.yes, lambda: _leave(c, node)) if fork.yes is not None else ([], None)
        if isinstance(stop.kind, Const):
            if stop.kind.value:
                c.out += yes
            c.env = fork.no[0] if fork.no is not None else None
            return
        from ..tree.nodes import If

        c.emit(If(c.span(node), fork.test, yes, []))
        c.env, c.held = fork.no if fork.no is not None else (None, frozenset())

    _each(c, helper, args, params, bind, [], node)
    return c.lit(None, node)


def _leave(c: Checker, node: ast.AST) -> None:
    target = c.frame.loops[-1]
    c.leave(target, Break(c.span(node), target.loop))


def arith_eval(value: Expr) -> Stmt:
    from ..tree.nodes import Eval

    return Eval(value.span, value)


ITERATORS: dict[Any, Callable[[Checker, ast.For, ast.Call], None]] = {
    range: _range, enumerate: _enumerate, zip: _zip, reversed: _reversed,
}
LOOPS: dict[type[ast.stmt], Callable[[Checker, Any], None]] = {
    ast.While: _while, ast.For: _for, ast.Break: _break, ast.Continue: _continue,
}

__all__ = ["LOOPS", "Seq", "describe", "for_each", "loop"]
