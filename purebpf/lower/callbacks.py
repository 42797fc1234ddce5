"""Loops whose rounds the kernel calls: the body becomes a function of its own, its variables travel in a block of the frame.

    for k, v in m:          block = [0, n, …]
        n += v       ==>    for_each_map_elem(m, @body, &block, 0)
                            n = block[1]

    @body(map, k, v, block): n = block[1]; …; block[1] = n; return 0

The block's first word says how the body was left: by going round, `break`, `return` (whose answer follows), or giving up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..ir.function import Const, Function, Param, Value
from ..ir.ops import Mem, Symbol
from ..ir.types import I64, PTR, Type
from ..tree import nodes as n
from ..tree.kinds import rep
from ..tree.walk import assigned, read, walk
from .flow import Words
from .function import CallbackExit, Lowering, Open, head_type

if TYPE_CHECKING:
    from ..tree.nodes import Local, Slot

WORD: Final = 8
BREAK, RETURN, ABORT = 1, 2, 3


class Exit(CallbackExit):
    """How the body leaves. `used`: the ways that it does leave."""

    def __init__(self, block: Value, answer: int) -> None:
        self.block, self.answer = block, answer
        self.used: set[int] = set()

    def leave(self, f: Lowering, words: Words) -> None:
        """`return`: the answer goes to the caller's function."""
        for i, word in enumerate(words):
            f.b.op("store", self.block, word, attr=Mem(WORD, WORD * (self.answer + i)))
        self.stop(f, RETURN)

    def abort(self, f: Lowering) -> None:
        self.stop(f, ABORT)

    def stop(self, f: Lowering, how: int) -> None:
        if not f.flow.reachable:
            return
        self.used.add(how)
        f.b.op("store", self.block, Const(how), attr=Mem(WORD, 0))
        f.b.ret(1)


class _Block:
    """What the block holds: a word for how the body was left, the captured variables, the addresses of slots, the answer."""

    def __init__(self, f: Lowering, node: n.Each) -> None:
        env = f.flow.env
        inside = {*node.params}
        names: dict[Local, None] = dict.fromkeys((*_inner(read, node), *_inner(assigned, node)))
        self.locals = [local for local in names if local not in inside and local in env and local.rep]
        self.set = [local for local in self.locals if local in set(_inner(assigned, node))]
        self.slots = _shared_slots(f, node, any("stack" in local.rep for local in self.set))
        self.at: dict[Local, int] = {}
        word = 1
        for local in self.locals:
            self.at[local] = word
            word += len(local.rep)
        self.slot_at = {slot: word + i for i, slot in enumerate(self.slots)}
        self.answer = word + len(self.slots)
        self.size = self.answer + len(rep(f.tree.result)) + len(f.tree.cursors)

    def save(self, f: Lowering, block: Value, locals: list[Local]) -> None:
        for local in locals:
            for i, word in enumerate(f.flow.env[local]):
                f.b.op("store", block, word, attr=Mem(WORD, WORD * (self.at[local] + i)))

    def restore(self, f: Lowering, block: Value, locals: list[Local], env: dict[Local, Words]) -> None:
        for local in locals:
            words = env[local]
            f.flow.env[local] = tuple(_load(f, block, self.at[local] + i, head_type(word, region))
                                      for i, (word, region) in enumerate(zip(words, local.rep)))


def _inner(what: object, node: n.Each) -> list[Local]:
    found: dict[Local, None] = {}
    for stmt in (*node.body,):
        found.update(dict.fromkeys(what(stmt)))  # type: ignore[operator]  # read or assigned
    return list(found)


def _shared_slots(f: Lowering, node: n.Each, all_named: bool) -> list[Slot]:
    """Slots that the body shares with what is around it."""
    found: dict[Slot, None] = {}
    for stmt in node.body:
        for one in walk(stmt):
            if isinstance(one, n.SlotPlace | n.Temp) and (one.slot in f.slots or all_named and one.slot.name):
                found[one.slot] = None
    return list(found)


def _load(f: Lowering, block: Value, word: int, type: Type) -> Value:
    return f.b.load(block, WORD, WORD * word, type=type)


def each(f: Lowering, node: n.Each) -> None:
    """Lower the loop."""
    args = [f.word(a) for a in node.args]
    block = _Block(f, node)
    name = f.unit.free_name(f"{f.fn.name}.loop".replace(".", "_"))
    exit = _body(f, node, block, name)
    room = f.temporary(WORD * block.size, "captured")
    f.b.op("store", room, Const(0), attr=Mem(WORD, 0))
    for local in block.set:
        f.flow.env[local] = tuple(f.opaque(word) if region == "i64" else word for word, region in zip(f.flow.env[local], local.rep))
    block.save(f, room, block.locals)
    for slot, word in block.slot_at.items():
        f.b.op("store", room, f.slot(slot), attr=Mem(WORD, WORD * word))
    callee = f.b.op("funcaddr", type=PTR["func"], attr=Symbol(name))
    f.at(node.span)
    f.helper(node.helper, (*args, callee, room, Const(0)))
    before = dict(f.flow.env)
    block.restore(f, room, block.set, before)
    _after(f, node, block, exit, room)


def _after(f: Lowering, node: n.Each, block: _Block, exit: Exit, room: Value) -> None:
    """Behind the call: where the body wanted to go."""
    done = f.flow.join("done")
    how = _load(f, room, 0, I64) if exit.used else Const(0)
    for code in sorted(exit.used):
        this, other = f.flow.join("left"), f.flow.join("went")
        f.flow.branch(f.b.op("eq", how, code), this, other)
        f.flow.enter(this)
        if code == BREAK:
            f.flow.goto(done)
        elif code == ABORT:
            f.flow.goto(f.abort_join())
        else:
            types = [I64 if word == "i64" else head_type(Const(0), word) for word in rep(f.tree.result)]
            types += [PTR["packet"] for _ in f.tree.cursors]
            words = tuple(_load(f, room, block.answer + i, t) for i, t in enumerate(types))
            f._close(0)
            if f.callback is not None:
                f.callback.leave(f, words)
            elif f.flow.reachable:
                f.b.ret(*words)
        f.flow.enter(other)
    f.body(node.orelse)
    f.flow.goto(done)
    f.flow.enter(done)


def _body(f: Lowering, node: n.Each, block: _Block, name: str) -> Exit:
    """The body as a function."""
    fn = Function(name, I64, span=node.span)
    inner = Lowering(f.unit, fn, f.tree)
    inner.at(node.span)
    regions = ["i64"] if node.helper == "loop" else ["map", "value", "value"]
    params = [Param(I64 if r == "i64" else PTR[r], r) for r in regions]
    room = Param(PTR["stack"], "captured")
    inner.b.place(inner.b.new_block("entry", [*params, room]))
    exit = inner.callback = Exit(room, block.answer)
    for local, param in zip(node.params, params[-len(node.params):] if node.params else ()):
        inner.flow.env[local] = (param,)
    block.restore(inner, room, block.locals, f.flow.env)
    for slot, word in block.slot_at.items():
        inner.slots[slot] = _load(inner, room, word, PTR["stack"])
    again, done = inner.flow.join("again"), inner.flow.join("done")
    inner.open[node] = Open(0, again, done)
    inner.body(node.body)
    inner.flow.goto(again)
    inner.flow.enter(again)
    if inner.flow.reachable:
        block.save(inner, room, block.set)
        inner.b.ret(0)
    inner.flow.enter(done)
    if inner.flow.reachable:
        block.save(inner, room, block.set)
        exit.stop(inner, BREAK)
    inner.finish()
    fn.btf_id = f.unit.types.func(name, [(p.name, None if p.type.is_ptr else f.unit.u64) for p in (*params, room)], f.unit.i64, 0)
    f.unit.add(fn)
    return exit
