"""Loops whose rounds the kernel calls: the body becomes a function of its own, its variables travel in a block of the frame.

    for k, v in m:          block = [0, n, …]
        n += v       ==>    for_each_map_elem(m, @body, &block, 0)
                            n = block[1]

    @body(map, k, v, block): n = block[1]; …; block[1] = n; return 0

The block's first word says how the body was left: by going round, `break`, `return` (whose answer follows), giving up, or,
where the body tests it, because the loop is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..ir.function import Const, Function, Param, Value
from ..ir.ops import Mem, Symbol
from ..ir.types import I64, PTR, Type
from ..tree import nodes as n
from ..tree.kinds import rep
from ..tree.walk import assigned, begins, read, walk
from .env import Words
from .function import ROUNDS, CallbackExit, Lowering, Open, head_type, refetches

if TYPE_CHECKING:
    from ..tree.nodes import Local, Slot

WORD: Final = 8
BREAK, RETURN, ABORT, OVER = 1, 2, 3, 4


class Exit(CallbackExit):
    """How the body leaves. `used`: the ways that it does leave; `outward`: those that lead to the end of something around the
    loop, with their codes; `types`: of what `break` brings along."""

    def __init__(self, block: Value, holds: _Block) -> None:
        self.block, self.holds = block, holds
        self.used: set[int] = set()
        self.outward: dict[n.Stmt, int] = {}
        self.types: dict[Local, tuple[Type, ...]] = {}

    def leave(self, f: Lowering, words: Words) -> None:
        """`return`: the answer goes to the caller's function."""
        for i, word in enumerate(words):
            f.b.op("store", self.block, word, attr=Mem(WORD, WORD * (self.holds.answer + i)))
        self.stop(f, RETURN)

    def go_out(self, f: Lowering, target: n.Stmt) -> None:
        """To the end of a block around the loop: the `return` of an inlined function."""
        if f.flow.reachable:
            self.bring(f)
            self.stop(f, self.outward.setdefault(target, OVER + 1 + len(self.outward)))

    def bring(self, f: Lowering) -> None:
        """Keep what the code behind needs."""
        holds = self.holds
        brought = [local for local in holds.brought if local in f.flow.env]
        self.types.update({local: tuple(head_type(w, r) for w, r in zip(f.flow.env[local], local.rep)) for local in brought})
        holds.save(f, self.block, [*holds.set, *brought])

    def abort(self, f: Lowering) -> None:
        self.stop(f, ABORT)

    def stop(self, f: Lowering, how: int) -> None:
        if not f.flow.reachable:
            return
        self.used.add(how)
        f.b.op("store", self.block, Const(how), attr=Mem(WORD, 0))
        f.b.ret(1)


class _Block:
    """What the block holds: a word for how the body was left, the captured variables, the addresses of slots, what `break`
    brings along (variables of the code behind the loop), the answer."""

    def __init__(self, f: Lowering, node: n.Each | n.Loop) -> None:
        env = f.flow.env
        inside = {*node.params} if isinstance(node, n.Each) else set()
        names: dict[Local, None] = dict.fromkeys((*_inner(read, node), *_inner(assigned, node)))
        self.locals = [local for local in names if local not in inside and local in env and local.rep and not _of_a_round(f, node, local)]
        self.set = [local for local in self.locals if local in set(_inner(assigned, node))]
        ones = {local: slot for local in self.set if (slot := _one_slot(node, local)) is not None}
        self.one = {local: slot for local, slot in ones.items() if isinstance(env[local][0], Const) or env[local][0] is f.slots.get(slot)}
        self.locals = [local for local in self.locals if local not in self.one]
        self.set = [local for local in self.set if local not in self.one]
        shared = _shared_slots(f, node, any("stack" in local.rep for local in self.set))
        self.slots = list(dict.fromkeys((*shared, *self.one.values())))
        self.at: dict[Local, int] = {}
        word = 1
        for local in self.locals:
            self.at[local] = word
            word += len(local.rep)
        self.slot_at = {slot: word + i for i, slot in enumerate(self.slots)}
        word += len(self.slots)
        self.brought = [local for local in _brought(node) if local not in self.at]
        for local in self.brought:
            self.at[local] = word
            word += len(local.rep)
        rides = isinstance(node, n.Loop) and not refetches(node)
        words = [(local, i) for local in self.set for i, (w, r) in enumerate(zip(env[local], local.rep))
                 if rides and r == "packet" and w.type.region == "packet"]
        self.bases = {key: word + i for i, key in enumerate(words)}
        self.answer = word + len(words)
        self.size = self.answer + len(rep(f.tree.result)) + len(f.tree.cursors)

    def save(self, f: Lowering, block: Value, locals: list[Local]) -> None:
        """Numbers in a form that the verifier does not see through, and packet pointers as distances, so that one round looks
        like the next."""
        for local in locals:
            for i, (word, region) in enumerate(zip(f.flow.env[local], local.rep)):
                base = self.bases.get((local, i))
                if base is not None:
                    word = f.hidden(f.b.op("ptrdiff", word, self.base(f, block, local, i)))
                elif region == "i64" and local in self.set:
                    word = f.hidden(word)
                f.b.op("store", block, word, attr=Mem(WORD, WORD * (self.at[local] + i)))

    def open(self, f: Lowering, block: Value) -> None:
        """Save what the first round begins with."""
        for (local, i), at in self.bases.items():
            f.b.op("store", block, f.flow.env[local][i], attr=Mem(WORD, WORD * at))
        self.save(f, block, self.locals)

    def base(self, f: Lowering, block: Value, local: Local, i: int) -> Value:
        """The packet pointer that a distance is measured from."""
        return _load(f, block, self.bases[local, i], PTR["packet"])

    def restore(self, f: Lowering, block: Value, locals: list[Local], env: dict[Local, Words]) -> None:
        for local in locals:
            words: list[Value] = []
            for i, (word, region) in enumerate(zip(env[local], local.rep)):
                rides = (local, i) in self.bases
                if rides:
                    words.append(self.base(f, block, local, i))
                else:
                    words.append(_load(f, block, self.at[local] + i, head_type(word, region)))
            f.flow.env[local] = tuple(words)
        for local, i in self.bases:
            if local in locals:
                moved = list(f.flow.env[local])
                moved[i] = f.moved(moved[i], _load(f, block, self.at[local] + i, I64))
                f.flow.env[local] = tuple(moved)


def _stmts(node: n.Each | n.Loop) -> list[n.Stmt]:
    """All that happens in a round."""
    if isinstance(node, n.Each):
        return node.body
    test: list[n.Stmt] = [n.Eval(node.span, node.test)] if node.test is not None else []
    return [*test, *node.body, *node.step]


def _inner(what: object, node: n.Each | n.Loop) -> list[Local]:
    found: dict[Local, None] = {}
    for stmt in _stmts(node):
        found.update(dict.fromkeys(what(stmt)))  # type: ignore[operator]  # read or assigned
    return list(found)


def _brought(node: n.Each | n.Loop) -> list[Local]:
    """Variables of the code behind the loop, or behind a block around it: set by the moves of breaks, or by the test."""
    inside = {one for stmt in node.body for one in walk(stmt) if isinstance(one, n.Loop | n.Each | n.Block)}
    breaks = [one for stmt in node.body for one in walk(stmt) if isinstance(one, n.Break) and one.loop not in inside]
    tested = assigned(node.test) if isinstance(node, n.Loop) and node.test is not None else []
    return list(dict.fromkeys((*(m.local for one in breaks for m in one.moves if isinstance(m, n.Set) and m.local.rep),
                               *(local for local in tested if local.rep))))


def _of_a_round(f: Lowering, node: n.Each | n.Loop, local: Local) -> bool:
    """An address in the frame that no other round and nothing behind the loop reads: it stays where it is, in the frame of the
    body, which no other frame may lead to."""
    if "stack" not in local.rep:
        return False
    around, inside = (sum(isinstance(one, n.Get) and one.local is local for stmt in stmts for one in walk(stmt))
                      for stmts in (f.tree.body, _stmts(node)))
    return around == inside and begins(_stmts(node), local)


def _one_slot(node: n.Each | n.Loop, local: Local) -> Slot | None:
    """The slot that every round makes the variable lead to: an address in the frame cannot travel, but need not."""
    if local.rep != ("stack",):
        return None
    values = [one.value for stmt in _stmts(node) for one in walk(stmt) if isinstance(one, n.Set) and one.local is local]
    found: set[Slot] = set()
    for value in values:
        while isinstance(value, n.Cast | n.Seq):
            value = value.value
        if not isinstance(value, n.Temp | n.SlotPlace):
            return None
        found.add(value.slot)
    return found.pop() if len(found) == 1 else None


def _shared_slots(f: Lowering, node: n.Each | n.Loop, all_named: bool) -> list[Slot]:
    """Slots that the body shares with what is around it."""
    found: dict[Slot, None] = {}
    for stmt in _stmts(node):
        for one in walk(stmt):
            if isinstance(one, n.SlotPlace | n.Temp) and (one.slot in f.slots or all_named and one.slot.name):
                found[one.slot] = None
    return list(found)


def _load(f: Lowering, block: Value, word: int, type: Type) -> Value:
    return f.b.load(block, WORD, WORD * word, type=type)


def each(f: Lowering, node: n.Each) -> None:
    """A loop over a map, or `bpf.loop`."""
    _called(f, node, node.helper, [f.word(a) for a in node.args])


def called(f: Lowering, node: n.Loop) -> None:
    """A loop of which the kernel calls the rounds, because it has no other way to let it go on for long."""
    _called(f, node, "loop", [Const(ROUNDS)])


def _called(f: Lowering, node: n.Each | n.Loop, helper: str, args: list[Value]) -> None:
    block = _Block(f, node)
    name = f.unit.free_name(f"{f.fn.name}.loop".replace(".", "_"))
    exit = _body(f, node, helper, block, name)
    room = f.temporary(WORD * block.size, "captured")
    f.b.op("store", room, Const(0), attr=Mem(WORD, 0))
    block.open(f, room)
    for slot, word in block.slot_at.items():
        f.b.op("store", room, f.slot(slot), attr=Mem(WORD, WORD * word))
    callee = f.b.op("funcaddr", type=PTR["func"], attr=Symbol(name))
    f.at(node.span)
    f.helper(helper, (*args, callee, room, Const(0)))
    before = dict(f.flow.env)
    block.restore(f, room, block.set, before)
    for local, slot in block.one.items():
        f.flow.env[local] = (f.slot(slot),)
    _after(f, node, block, exit, room)


def _after(f: Lowering, node: n.Each | n.Loop, block: _Block, exit: Exit, room: Value) -> None:
    """Behind the call: where the body wanted to go."""
    done = f.flow.join("done")
    how = _load(f, room, 0, I64) if exit.used else Const(0)
    targets = {code: target for target, code in exit.outward.items()}
    for code in sorted(exit.used):
        this, other = f.flow.join("left"), f.flow.join("went")
        f.flow.branch(f.b.op("eq", how, code), this, other)
        f.flow.enter(this)
        if code == BREAK or code >= OVER:
            for local, types in exit.types.items():
                f.flow.env[local] = tuple(_load(f, room, block.at[local] + i, t) for i, t in enumerate(types))
        if code > OVER:
            f._leave(targets[code], [], again=False)
        elif code == BREAK:
            f.flow.goto(done)
        elif code == OVER:
            f.body(node.orelse)
            f.flow.goto(done)
        elif code == ABORT:
            f.flow.goto(f.abort_join())
        else:
            wanted = [I64 if word == "i64" else head_type(Const(0), word) for word in rep(f.tree.result)]
            wanted += [PTR["packet"] for _ in f.tree.cursors]
            words = tuple(_load(f, room, block.answer + i, t) for i, t in enumerate(wanted))
            f._close(0)
            if f.callback is not None:
                f.callback.leave(f, words)
            elif f.flow.reachable:
                f.b.ret(*words)
        f.flow.enter(other)
    if isinstance(node, n.Loop):  # the kernel has called it as often as it does, and it is not over
        f.flow.goto(f.abort_join())
    f.body(node.orelse)
    f.flow.goto(done)
    f.flow.enter(done)


def _body(f: Lowering, node: n.Each | n.Loop, helper: str, block: _Block, name: str) -> Exit:
    """The body as a function."""
    fn = Function(name, I64, order=f.unit.order, span=node.span)
    inner = Lowering(f.unit, fn, f.tree)
    inner.at(node.span)
    regions = ["i64"] if helper == "loop" else ["map", "value", "value"]
    params = [Param(I64 if r == "i64" else PTR[r], r) for r in regions]
    room = Param(PTR["stack"], "captured")
    inner.b.place(inner.b.new_block("entry", [*params, room]))
    exit = inner.callback = Exit(room, block)
    names = node.params if isinstance(node, n.Each) else ()
    for local, param in zip(names, params[-len(names):] if names else ()):
        inner.flow.env[local] = (param,)
    block.restore(inner, room, block.locals, f.flow.env)
    for slot, word in block.slot_at.items():
        inner.slots[slot] = _load(inner, room, word, PTR["stack"])
    for local, slot in block.one.items():
        inner.flow.env[local] = (inner.slots[slot],)
    again, done = inner.flow.join("again"), inner.flow.join("done")
    inner.open[node] = Open(0, again, done)
    if isinstance(node, n.Loop) and node.test is not None:
        inside, over = inner.flow.join("body"), inner.flow.join("over")
        inner.cond(node.test, inside, over)
        inner.flow.enter(over)
        exit.bring(inner)
        exit.stop(inner, OVER)
        inner.flow.enter(inside)
    inner.body(node.body)
    inner.flow.goto(again)
    inner.flow.enter(again)
    if isinstance(node, n.Loop):
        inner.body(node.step)
    if inner.flow.reachable:
        block.save(inner, room, block.set)
        inner.b.ret(0)
    inner.flow.enter(done)
    if inner.flow.reachable:
        exit.bring(inner)
        exit.stop(inner, BREAK)
    inner.finish()
    fn.btf_id = f.unit.types.func(name, [(p.name, None if p.type.is_ptr else f.unit.u64) for p in (*params, room)], f.unit.i64, 0)
    f.unit.add(fn)
    return exit
