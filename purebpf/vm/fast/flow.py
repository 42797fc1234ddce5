"""The control flow of one function of a `Code`: blocks, order, dominators, loops, and which registers are live.

A block is named by its first slot. Register sets are bit masks. Blocks that nothing reaches are left out.
"""

from __future__ import annotations

from typing import Callable, Final, NamedTuple

from ...isa import opcodes as op
from ...isa.insn import Insn
from ..code import Code, Function, jump_target

ALU_CLASSES: Final = (op.ALU, op.ALU64)
ARGS: Final = 0b11_1110  # r1-r5


class Block(NamedTuple):
    """Slots `start` … `end` (exclusive); `last` is the slot of the final instruction; `succ` where it goes next: of a
    conditional jump, the fall-through and then the target."""

    start: int
    end: int
    last: int
    succ: tuple[int, ...]


class Flow:
    """`order` is reverse postorder; `rank` the position in it; `idom` the immediate dominator; `preds` predecessors."""

    __slots__ = ("_instructions", "blocks", "code", "function", "idom", "live", "order", "preds", "rank", "reducible")

    def __init__(self, code: Code, function: Function) -> None:
        self.code, self.function = code, function
        self.blocks = _blocks(code, function)
        self._instructions: dict[int, list[tuple[int, Insn]]] = {}
        self.order = _reverse_postorder(self.blocks, function.start)
        self.rank = {block: n for n, block in enumerate(self.order)}
        self.preds: dict[int, list[int]] = {block: [] for block in self.order}
        for block in self.order:
            for target in dict.fromkeys(self.blocks[block].succ):
                self.preds[target].append(block)
        self.idom = self._dominators()
        self.reducible = all(self.dominates(target, block) for block in self.order
                             for target in self.blocks[block].succ if self.is_back(block, target))
        self.live: dict[int, int] = {}

    def is_back(self, block: int, target: int) -> bool:
        """Does this edge close a loop?"""
        return self.rank[target] <= self.rank[block]

    def dominates(self, a: int, b: int) -> bool:
        while self.rank[b] > self.rank[a]:
            b = self.idom[b]
        return a == b

    def loop_of(self, header: int) -> set[int]:
        """Blocks of the natural loop of `header`; empty if it heads none."""
        latches = [p for p in self.preds[header] if self.is_back(p, header)]
        body = {header} if latches else set()
        while latches:
            block = latches.pop()
            if block not in body:
                body.add(block)
                latches += self.preds[block]
        return body

    def _dominators(self) -> dict[int, int]:
        """Cooper, Harvey, Kennedy: a simple, fast dominance algorithm."""
        rank, entry = self.rank, self.function.start
        idom = {entry: entry}
        changed = True
        while changed:
            changed = False
            for block in self.order[1:]:
                new, *others = [p for p in self.preds[block] if p in idom]
                for other in others:
                    new = _meet(idom, rank, new, other)
                changed |= idom.get(block) != new
                idom[block] = new
        return idom

    def find_live(self, effect: Callable[[Insn], tuple[int, int]]) -> None:
        """Fill `live`: registers that are read later, at each slot and at the start of each block.

        `effect(insn)` gives the registers an instruction (reads, writes)."""
        at_start = dict.fromkeys(self.order, 0)
        effects = {pc: effect(insn) for block in self.order for pc, insn in self.instructions(block)}
        changed = True
        while changed:
            changed = False
            for block in reversed(self.order):
                live = self._live_out(block, at_start)
                for pc, _ in reversed(self.instructions(block)):
                    reads, writes = effects[pc]
                    live = live & ~writes | reads
                if live != at_start[block]:
                    at_start[block], changed = live, True
        for block in self.order:
            live = self._live_out(block, at_start)
            for pc, _ in reversed(self.instructions(block)):
                reads, writes = effects[pc]
                live = live & ~writes | reads
                self.live[pc] = live

    def _live_out(self, block: int, at_start: dict[int, int]) -> int:
        live = 0
        for target in self.blocks[block].succ:
            live |= at_start[target]
        return live

    def live_after(self, block: int) -> int:
        """Registers live on leaving `block` by any way."""
        live = 0
        for target in self.blocks[block].succ:
            live |= self.live[target]
        return live

    def instructions(self, block: int) -> list[tuple[int, Insn]]:
        """(slot, instruction) of a block."""
        found = self._instructions.get(block)
        if found is None:
            one, slots = self.blocks[block], self.code.slots
            found = self._instructions[block] = [
                (pc, insn) for pc in range(one.start, one.end) if (insn := slots[pc]) is not None]
        return found


def _meet(idom: dict[int, int], rank: dict[int, int], a: int, b: int) -> int:
    """The nearest block that dominates both."""
    while a != b:
        if rank[a] > rank[b]:
            a = idom[a]
        else:
            b = idom[b]
    return a


def _blocks(code: Code, function: Function) -> dict[int, Block]:
    slots = code.slots
    leaders = {function.start}
    for pc in range(function.start, function.end):
        insn = slots[pc]
        if insn is None:
            continue
        target = jump_target(pc, insn)
        if target is not None:
            leaders |= {target, pc + 1}
        elif insn.code == op.JMP | op.EXIT:
            leaders.add(pc + 1)
    starts = sorted(pc for pc in leaders if pc < function.end)
    blocks = {}
    for start, end in zip(starts, starts[1:] + [function.end]):
        last = end - 1 if slots[end - 1] is not None else end - 2
        insn = slots[last]
        assert insn is not None
        blocks[start] = Block(start, end, last, _successors(last, insn, end))
    return blocks


def _successors(pc: int, insn: Insn, end: int) -> tuple[int, ...]:
    if insn.code == op.JMP | op.EXIT:
        return ()
    target = jump_target(pc, insn)
    if target is None:
        return (end,)
    always = insn.code in (op.JMP | op.JA, op.JMP32 | op.JA) or target == end
    return (target,) if always else (end, target)


def _reverse_postorder(blocks: dict[int, Block], entry: int) -> list[int]:
    seen, out, stack = {entry}, [], [(entry, iter(blocks[entry].succ[::-1]))]
    while stack:
        block, rest = stack[-1]
        for target in rest:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(blocks[target].succ[::-1])))
                break
        else:
            out.append(block)
            stack.pop()
    return out[::-1]


def register_effect(insn: Insn) -> tuple[int, int]:
    """Registers read and written, as masks; a call reads r1-r5, whatever its callee takes."""
    dst, src = 1 << insn.dst, 1 << insn.src
    kind = insn.code & 7
    if kind in ALU_CLASSES:
        what = insn.code & 0xF0
        reads = src if insn.code & op.X and what != op.END else 0
        return (reads if what == op.MOV else reads | dst), dst
    if kind == op.LDX:
        return src, dst
    if kind == op.ST:
        return dst, 0
    if kind == op.STX:
        return _store_effect(insn, dst, src)
    if kind == op.LD:
        return (0, dst) if insn.code == op.LD_IMM64 else (src if insn.code & 0xE0 == op.IND else 0, 1)
    if insn.code == op.JMP | op.CALL:
        return ARGS, 1
    if insn.code == op.JMP | op.EXIT:
        return 1, 0
    if insn.code & 0xF0 in (op.JA, op.JCOND):
        return 0, 0
    return dst | (src if insn.code & op.X else 0), 0


def _store_effect(insn: Insn, dst: int, src: int) -> tuple[int, int]:
    if insn.code & 0xE0 == op.ATOMIC:
        if insn.imm == op.LOAD_ACQ:
            return src, dst
        if insn.imm == op.CMPXCHG:
            return dst | src | 1, 1
        if insn.imm & op.FETCH and insn.imm != op.STORE_REL:
            return dst | src, src
    return dst | src, 0
