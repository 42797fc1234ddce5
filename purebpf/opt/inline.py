"""Bodies in place of calls.

    %1 = call @double(%x)               %1 = add %x, %x
    ret %1                       ==>    ret %1

`inline` "must" is obeyed; "auto" is inlined when it is small (as it is once its own calls are inlined) or called once;
"never" stays a BPF subprogram; a function that calls itself, however indirectly, is never inlined. Where subprograms would
nest deeper than the kernel allows, or need more stack than it gives, the inner ones are inlined whatever their size.
Functions that were inlined everywhere go away. Slots of the callee become slots of the caller.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from ..ir.calls import Calls, callee
from ..ir.function import Block, Const, Edge, Function, Module, Op, Param, Value
from ..ir.ops import Index, Slot
from ..ir.types import I64, PTR, VOID
from .aborts import catch, caught
from .cfgclean import incoming
from .clone import clone, unique_names
from .gvn import escaping
from .memory import candidates
from .rows import R

SMALL: Final = 40  # ops of a body that is copied to several places
FRAMES: Final = 7  # subprograms that may be active below an entry: the kernel's MAX_CALL_FRAMES is 8
STACK: Final = 384  # bytes for the slots of all that is active at once: of the kernel's 512, less what is spilled


def inline(module: Module, *, must: bool = False) -> bool:
    """Inline all over `module`, callees first; with `must` only what cannot stay a call."""
    calls = Calls(module)
    sites = dict(calls.sites)  # who is called by nobody from the start is an entry
    choice = _Choice(module, calls, must)
    changed = False
    for fn in calls.order:
        if any(op.row is R.call and choice.wanted(op, fn) for op in fn.ops()):
            _Inliner(fn, module, calls.aborting, choice).run()
            refine(fn)
            changed = True
        choice.measure(fn)
    left = Calls(module)
    for fn in reversed(left.order):
        if fn.static and (fn.inline != "never" or sites[fn.name]) and not left.sites[fn.name] and fn.name not in left.addressed:
            del module.functions[fn.name]
            changed = True
            for name in left.callees[fn.name]:
                left.sites[name] -= sum(op.row is R.call and callee(op) == name for op in fn.ops())
    return changed


def inline_must(module: Module) -> bool:
    """Inline what cannot stay a call."""
    return inline(module, must=True)


class _Choice:
    """Which calls are worth it. `size`, `frames`, `stack`: of functions that are done, with what they still call."""

    def __init__(self, module: Module, calls: Calls, must: bool) -> None:
        self.module, self.calls, self.must = module, calls, must
        self.size: dict[str, int] = {}
        self.frames: dict[str, int] = {}
        self.stack: dict[str, int] = {}

    def measure(self, fn: Function) -> None:
        promoted = candidates(fn)
        slots = sum(op.attr.size for op in fn.entry.ops if isinstance(op.attr, Slot) and op not in promoted)
        kept = {callee(op) for op in fn.ops() if op.row is R.call}
        self.size[fn.name] = sum(len(block.ops) for block in fn.blocks)
        self.frames[fn.name] = 1 + max((self.frames.get(name, 0) for name in kept), default=0)
        self.stack[fn.name] = slots + max((self.stack.get(name, 0) for name in kept), default=0)

    def wanted(self, op: Op, caller: Function) -> bool:
        name = callee(op)
        fn = self.module.functions.get(name)
        if fn is None or name in self.calls.recursive:
            return False
        if fn.inline == "must" or any(t.row.frame and t.is_ptr for t in fn.results):
            return True
        if fn.inline == "never":
            return False
        below = FRAMES - bool(self.calls.sites[caller.name])  # a caller that is called needs a frame itself
        if self.frames[name] > below or self.stack[name] > STACK:
            return True
        return not self.must and (self.calls.sites[name] == 1 or self.size[name] <= SMALL)


class _Inliner:
    """All calls of one function that are wanted."""

    def __init__(self, fn: Function, module: Module, aborting: Container[str], choice: _Choice) -> None:
        self.fn, self.module, self.aborting, self.choice = fn, module, aborting, choice
        self.taken = {b.name for b in fn.blocks}
        self.slots: dict[Op, Op] = {}  # a callee's slot -> the one that stands for it here
        self.private: dict[Function, set[Op]] = {}  # callee -> slots whose address may outlive it
        self.results: dict[Value, list[Param]] = {}
        self.mapping: dict[Value, Value] = {}
        self.new_slots: list[Op] = []

    def run(self) -> None:
        fn = self.fn
        out: list[Block] = []
        for block in fn.blocks:
            ops, block.ops = block.ops, []
            out.append(block)
            for op in ops:
                if op.row is R.call and self.choice.wanted(op, fn):
                    body, after = self.expand(block, op)
                    out += body
                    out.append(after)
                    block = after
                else:
                    block.ops.append(op)
        fn.blocks = out
        fn.entry.ops[:0] = self.new_slots
        for block in fn.blocks:
            if any(isinstance(op.attr, Index) and op.args[0] in self.results for op in block.ops):
                block.ops = [op for op in block.ops if not self.is_result(op)]
        fn.replace(self.mapping)

    def is_result(self, op: Op) -> bool:
        """Whether `op` is a result of an inlined call, which is then what came out of the body."""
        if not isinstance(op.attr, Index) or op.args[0] not in self.results:
            return False
        self.mapping[op] = self.results[op.args[0]][op.attr.number]
        return True

    def expand(self, block: Block, call: Op) -> tuple[list[Block], Block]:
        """End `block` with a jump to a copy of the callee: that, and the block that runs after it."""
        fn = self.module.functions[callee(call)]
        values: dict[Value, Value] = dict(zip(fn.params, call.args))
        copies = clone(fn.blocks, values, unique_names(self.fn, fn.blocks, fn.name, self.taken))
        after = Block(unique_names(self.fn, [block], "after", self.taken)[block])
        types = (I64, *fn.results) if caught(call) else fn.results
        after.params = [Param(t, call.name if not i else "") for i, t in enumerate(types)]
        self.results[call] = after.params
        if types:
            self.mapping[call] = after.params[0]
        self.share_slots(fn, copies[fn.entry], values)
        body = list(copies.values())
        if caught(call):
            body, mapping = catch(body, lambda op: callee(op) in self.aborting, lambda op: self.bail(after), self.taken)
            self.mapping.update(mapping)
        for copy in body:
            end = copy.terminator
            if end.row is R.ret:
                end.edges = [Edge(after, [Const(0), *end.args] if caught(call) else end.args)]
                end.row, end.args = R.jump, []
            elif end.row is R.abort and caught(call):
                end.edges, end.row = [self.bail(after)], R.jump
        block.ops.append(Op(R.jump, (), VOID, None, [Edge(copies[fn.entry])], call.span))
        return body, after

    def bail(self, after: Block) -> Edge:
        """The edge of a body that aborts to where its call was caught."""
        return Edge(after, [Const(1), *(Const(0) for _ in after.params[1:])])

    def share_slots(self, fn: Function, entry: Block, values: dict[Value, Value]) -> None:
        """Calls of one function never run at the same time: one set of slots serves all, unless an address is kept."""
        if fn not in self.private:
            self.private[fn] = escaping(fn, calls=False)
        for op in fn.entry.ops:
            copy = values[op]
            if op.row is not R.alloca or not isinstance(copy, Op):
                continue
            if op in self.slots and op not in self.private[fn]:
                self.mapping[copy] = self.slots[op]
            else:
                self.slots[op] = copy
                self.new_slots.append(copy)
        entry.ops = [op for op in entry.ops if op.row is not R.alloca]


def refine(fn: Function) -> None:
    """Where only pointers of one region flow into a `ptr.arg`, that is what it points to."""
    arg = PTR["arg"]
    again = True
    while again:
        again = False
        into = incoming(fn)
        for block, i, param in [(b, i, p) for b in fn.blocks[1:] for i, p in enumerate(b.params) if p.type is arg]:
            types = {e.args[i].type for _, e in into[block] if e.args[i] is not param and e.args[i].type.is_ptr}
            if len(types) == 1 and arg not in types:
                param.type = types.pop()
                again = True
        for op in fn.ops():
            if op.row is R.ptradd and op.type is arg and op.args[0].type.is_ptr and op.args[0].type is not arg:
                op.type = op.args[0].type
                again = True
