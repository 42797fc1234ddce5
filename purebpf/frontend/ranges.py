"""`for i in range(…)`: counters, and the form of a loop that the kernel takes."""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..tree.convert import coerce
from ..tree.kinds import BOOL, Broken, I64, Int, U64, exact, fits, join, rep
from ..tree.nodes import (
    Arith, Both, Cast, Compare, Either, Element, Expr, Get, Guard, If, IfElse, Local, Loop, Node, Number, SameBytes, Select,
    Set, Stmt, Undef, Vague,
)
from ..tree.walk import places_of, read, sources, walk
from . import arith, forms, stmts
from .context import Binding, Checker, Env, Path, differing, held
from .rounds import Round, _finish, _loop_body, settle


TRUTH = Int(BOOL, 0, 1, True)


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
    most = max(z.hi - a.lo if up else a.hi - z.lo, 0) // abs(by.lo if abs(by.lo) < abs(by.hi) else by.hi)
    leap = max(abs(by.lo), abs(by.hi))  # the counter ends so far behind the last element
    now = Int(type, lo, max(hi, a.hi, z.hi - 1 + leap)) if up else Int(type, min(lo, a.lo, z.lo + 1 - leap), hi)
    once = arith._decided("lt" if up else "gt", a, z) is True
    begin = _as(start, Int(type, a.lo, a.hi))
    env, held_, done = dict(c.env or {}), c.held, len(c.out)
    told = seen and up and a.lo == 0  # where rounds are granted, the test bounds it on one side; on the other it began, which is forgotten
    first = Int(type, lo, hi, seen if node not in c.unit.forgotten else int(told))
    if node not in c.unit.around:
        loop = _one_by_one(c, node, first, now, (begin, stop, step), up, once, most, not (_followed(a) and _followed(by)))
        if not arith.is_exact(z) and _told_on_the_way(loop):
            c.unit.around.add(node)
        elif loop.granted and first.seen > int(told):
            c.unit.forgotten.add(node)
        else:
            return
        c.env, c.held = env, held_
        del c.out[done:]
    if node in c.unit.around:  # what a round tells of bound and counter is forgotten, but not of both: so it is told nothing
        told, stop = False, c.hold(Vague(span, Int.of(z.type), stop), "$stop")
    _one_by_one(c, node, first._replace(seen=int(told)), now, (begin, stop, step), up, once, most, True)


def _told_on_the_way(loop: Loop) -> bool:
    """Is there a granted loop in the loop, or is it one in which something is compared with the counter? Then what the verifier
    knows of the bound is another thing in each round, and it gives up on it."""
    nodes = [n for s in loop.body for n in walk(s)]
    if not loop.granted:
        return any(isinstance(n, Loop) and n.granted for n in nodes)
    copies = set(read(loop.test)) if loop.test is not None else set()
    copies |= {n.local for n in nodes if isinstance(n, Set) and n.local not in copies and _bare(n.value) in copies}
    copies |= {n.local for n in nodes if isinstance(n, Set) and n.local not in copies and _bare(n.value) in copies}
    return any(isinstance(n, Loop) and n.granted or isinstance(n, Compare) and {_bare(n.a), _bare(n.b)} & copies for n in nodes)


def _bare(value: Expr) -> Local | None:
    """The variable that this is, or None."""
    while isinstance(value, Cast):
        value = value.value
    return value.local if isinstance(value, Get) else None


def _followed(kind: Int) -> bool:
    """Does the verifier know the number itself? What it knows the bounds of looks the same in every round."""
    return arith.is_exact(kind) or kind.seen == 2


def _one_by_one(c: Checker, node: ast.For, inside: Int, now: Int, bounds: tuple[Expr, Expr, Expr], up: bool, once: bool, most: int,
                must: bool) -> Loop:
    """The loop over a range: the counter is `inside` in the body, and `now` where it is tested. `must`: it has to be granted."""
    span, (begin, stop, step) = c.span(node), bounds
    counter = Local(f"${_shown(node.target)}", ("i64",))
    c.emit(Set(span, counter, begin))
    value = Get(span, inside, counter)
    more = Compare(span, TRUTH, "lt" if up else "gt", Get(span, now, counter), stop)
    word = Int.of(inside.type)
    after: Expr = Arith(span, word, "+", value, step)
    next_ = Set(span, counter, Vague(span, word, after) if node in c.unit.around else after)
    loop = _counted(c, node, more, once, lambda: value, next_, rounds=min(most + 1, 1 << 23))
    _grant(c, loop, most if not must else None)
    return loop


PLAIN, TRIED = 1 << 10, 600
SIMPLE = 6  # decisions of a body that may be walked a thousand times
PAIRS = 8000  # of rounds and of what was picked in them
APART = 8  # what ways through a body count for that lead to different places


def _wanders(nodes: list[Node], sets: list[Set]) -> bool:
    """Is there a number that a round changes by one way or by another, and that places are computed from?"""
    changes = [one.local for one in sets if one.local.rep == ("i64",) and one.local in read(one.value)]
    return any(changes.count(local) > 1 for local in sources(sets, places_of(nodes)))


def _picks(nodes: list[Node]) -> bool:
    """Is there a number of the user's that some rounds set anew? What it is and which round it is then are states together."""
    branches = [stmt for node in nodes if isinstance(node, If) for stmt in (*node.body, *node.orelse)]
    return any(isinstance(one, Set) and one.local.rep == ("i64",) and isinstance(one.value, Get) and one.value.local.name != one.local.name
               for one in branches if not (isinstance(one, Set) and one.local.name.startswith("$")))


def _remembers(nodes: list[Node], sets: list[Set]) -> bool:
    """Is there a number that a round sets, or changes by one way or by another, and that the next ones decide by?"""
    changed = [one.local.name for one in sets if one.local.rep == ("i64",) and isinstance(one.value, Arith)
               and any(local.name == one.local.name for local in read(one.value))]
    states = {one.local.name for one in sets if isinstance(one.value, Number) and one.local.rep == ("i64",)}
    states |= {name for name in changed if changed.count(name) > 1}
    return any(local.name in states for node in nodes if isinstance(node, Compare) for local in read(node))


def _decisions(nodes: list[Node]) -> int:
    """How many decisions a way comes by at most."""
    return sum((1 if n.granted else n.ways) if isinstance(n, Loop) else isinstance(n, If | IfElse | Both | Either | Guard | Element | SameBytes) for n in nodes)


def walked(loop: Loop, rounds: int) -> None:
    """The verifier walks the loop round by round, whatever is in it."""
    loop.ways = max(_decisions([n for s in loop.body for n in walk(s)]), 1) * rounds


def _grant(c: Checker, loop: Loop, rounds: int | None) -> None:
    """Choose the loop's form. The verifier walks a plain loop round by round: so many ways through the body for so many
    rounds are too much for it. Where the kernel counts rounds itself, it looks at the body until nothing new shows."""
    nodes = [n for s in loop.body for n in walk(s)]
    sets = [n for n in nodes if isinstance(n, Set)]
    decisions = _decisions(nodes)
    once = max(decisions, 1)
    loop.ways = once * (rounds if rounds is not None else 1)
    if loop.walked and rounds is not None and rounds <= PLAIN:
        return
    if _wanders(nodes, sets) or _remembers(nodes, sets):
        decisions *= APART
    if _picks(nodes) and rounds is not None and rounds * rounds * decisions > PAIRS:
        decisions *= APART
    moves = [one for one in sets if "packet" in one.local.rep]
    steps = any(one.local in sources(moves, set(read(one.value))) for one in moves)
    tried = 0 if steps and decisions <= SIMPLE else max(decisions, 1)  # a cursor at a known place: each round is looked at once
    loop.granted = rounds is None or rounds > PLAIN or rounds * tried > TRIED
    if loop.granted:
        loop.ways = once
        c.function.aborts = True
        forms.ask(c, loop)


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
        return Select(span, Int.of(U64), Compare(span, TRUTH, "lt", near, far), many, Number(span, 0, Int.of(U64)))

    up_size = Cast(span, Int(U64, 1, I64.hi + 1), step)
    down_size = Cast(span, Int(U64, 1, I64.hi + 1), Arith(span, word, "-", zero, step))
    if by.lo >= 0:
        number: Expr = rounds(stop, start, up_size)
    elif by.hi <= 0:
        number = rounds(start, stop, down_size)
    else:
        positive = Compare(span, TRUTH, "gt", step, zero)
        number = Select(span, Int.of(U64), positive, rounds(stop, start, up_size), rounds(start, stop, down_size))
    if by.lo <= 0 <= by.hi:
        c.emit(arith_guard(c, Compare(span, TRUTH, "ne", step, zero), node))
    c.emit(Set(span, count, number))
    current = Local(f"${_shown(node.target)}", ("i64",))
    c.emit(Set(span, current, start))
    left = Get(span, Int.of(U64), count)
    more = Compare(span, TRUTH, "ne", left, zero)
    value = Get(span, Int(I64, min(a.lo, z.lo), max(a.hi, z.hi)), current)
    body = [Set(span, count, Arith(span, Int.of(U64), "-", left, Number(span, 1))),
            Set(span, current, Arith(span, word, "+", Get(span, word, current), step))]
    _grant(c, _counted(c, node, more, False, lambda: value, *body), None)


def arith_guard(c: Checker, test: Expr, node: ast.AST) -> Stmt:
    c.function.aborts = True
    return Guard(c.span(node), test)


def _counted(c: Checker, node: ast.For, more: Expr, once: bool, value: Callable[[], Expr], *step: Stmt, rounds: int = 1 << 23,
             early: bool = False) -> Loop:
    """A loop over a hidden counter: `more` is its test, `value` what the visible variable is in a round. `early`: it may end
    in any of its rounds."""
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
    _finish(c, this, node.orelse, loop.orelse, node, early)
    return loop


def _assigned_in(c: Checker, back: list[Path], env: Env, missing: dict[str, Binding]) -> Env:
    """Variables that a loop which runs at least once assigns in every round: they are known behind it."""
    found: Env = {}
    if not back:
        return found
    for name in differing(back[0].env, [env]):
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
