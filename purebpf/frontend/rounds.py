"""What a variable is at a loop's head: found by going round until nothing changes any more. The first round supposes that
it stays what it was before the loop; sums keep their bounds, and what grows faster is widened to its type.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from ..tree.convert import coerce
from ..tree.kinds import Broken, Int, Kind, POISON, fits, join, mapped, rep, widen
from ..tree.nodes import Block, Each, Local, Loop, Set, Stmt, Vague
from ..tree.walk import assigned
from . import conds, stmts
from .context import Binding, Checker, Env, Path, Target, differing, held
from .keeping import origins


ROUNDS = 24  # after which what still changes is called a conflict


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
    mark, asked, inlined = c.unit.mark(), c.asked, c.inlined
    growth: dict[tuple[str, str], int] = {}
    done = len(c.out)
    for attempt in range(ROUNDS):
        c.unit.reset(mark)
        del c.out[done:]  # what an attempt before put in front of the loop
        c.env, c.held = dict(head), entry.held
        c.inlined, c.asked = inlined, asked
        this = Round(make())
        check(this)
        new = _joined_head(head, this.target.continues, attempt, growth, rounds)
        if new is None:
            _connect(c, entry, head, this.target.continues)
            loop = this.target.loop
            assert not isinstance(loop, Block)
            loop.carried = _carried(head, this.target.continues)
            return this, this.target.continues
        head = new
    raise AssertionError("a loop's variables do not settle")


def _carried(head: Env, back: list[Path]) -> list[Local]:
    """Variables that lead into the frame, to another place when the loop comes round."""
    found = []
    for name in differing(head, [path.env for path in back]):
        b = head[name]
        if b.local is None or "stack" not in b.local.rep:
            continue
        places = {(o.root, o.lo) for one in (b, *(path.env[name] for path in back)) for o in origins(one.kind)}
        if len(places) > 1 or len(b.local.rep) > 1:
            found.append(b.local)
    return found


def _joined_head(head: Env, back: list[Path], attempt: int, growth: dict[tuple[str, str], int], rounds: int) -> Env | None:
    """The head's variables after another round; None if nothing has changed."""
    new, changed = dict(head), False
    for name in differing(head, [path.env for path in back]):
        binding = head[name]
        kind = binding.kind
        for path in back:
            other = path.env.get(name)
            if other is binding or other is not None and other.kind == POISON:
                continue  # what is wrong in a round that supposes too little says nothing about the next
            if other is None:
                kind = Broken("unassigned", f"{name.split('@')[0]!r} is deleted in the loop", "")
                break
            kind = join(kind, other.kind, name.split("@")[0])
        kind = mapped(kind, _unseen)
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


def _unseen(kind: Kind) -> Kind:
    """A number that a loop changes begins, where the kernel counts the rounds, as one of which the verifier knows nothing."""
    return kind._replace(seen=0) if isinstance(kind, Int) else kind


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
    for name in differing(head, [path.env for path in (entry, *back)]):
        binding = head[name]
        if binding.local is None or not binding.local.rep:
            continue
        for path in (entry, *back):
            came = path.env[name]
            if came.local is not binding.local or came.kind != binding.kind and rep(came.kind) != rep(binding.kind):
                path.moves.append(Set(c.span(), binding.local, coerce(held(came, c.span()), binding.kind)))


def _finish(c: Checker, this: Round, orelse: list[ast.stmt], into: list[Stmt], node: ast.AST, early: bool = False) -> None:
    """What follows a loop: `else` where it ended by itself, then all ways out together."""
    paths: list[Path | None] = []
    if this.over is not None:
        body, path = c.fork(*this.over, lambda: stmts.body(c, orelse))
        into += body
        if path is not None:
            paths.append(Path(path.env, path.held, into))
    c.at(node)
    c.merge([*paths, *this.target.breaks])
    if (early or this.target.breaks) and c.env is not None:
        _blur(c, this, node)


FEW = 8  # values of a number whose ways may well be walked one by one


def _blur(c: Checker, this: Round, node: ast.AST) -> None:
    """The loop has ways out in the middle: numbers that are others on each of them become ones of which the verifier knows the
    bounds, or it would walk all that follows once for every round. What nobody reads goes."""
    assert c.env is not None
    loop = this.target.loop
    changed = set(assigned(loop)) if isinstance(loop, Loop) and not loop.granted else set()
    for name, binding in list(c.env.items()):
        local, kind = binding.local, binding.kind
        if local not in changed or not isinstance(kind, Int) or not FEW < kind.hi - kind.lo < 1 << 31:
            continue
        sharp = Local(local.name, local.rep)
        vague = kind._replace(seen=1)
        c.emit(Set(c.span(node), sharp, Vague(c.span(node), vague, held(binding, c.span(node)), needed=False)))
        c.env[name] = Binding(sharp, vague)


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
