"""The shape of a machine function: order, predecessors, dominators, loops, how often a block runs.

Works on block numbers; `analyse` drops unreachable blocks, puts the others in reverse postorder and numbers them.
"""

from __future__ import annotations

from typing import NamedTuple

from ..ir.graph import common, dominators, reverse_postorder
from .mach import MBlock, MFunc

LOOP_WEIGHT = 8.0  # runs of a loop's body per run of its surroundings
MAX_DEPTH = 6


class Flow(NamedTuple):
    """Per block number: predecessors and successors (numbers), immediate dominator (the entry's own is 0)."""

    preds: list[list[int]]
    succs: list[list[int]]
    idom: list[int]


def analyse(mf: MFunc) -> Flow:
    """Order and number the blocks of `mf`, and set their `depth` and `freq`."""
    blocks = mf.blocks = reverse_postorder(mf.blocks[0], lambda block: block.targets)
    for i, block in enumerate(blocks):
        block.index = i
    succs = [[t.index for t in dict.fromkeys(b.targets)] for b in blocks]
    preds: list[list[int]] = [[] for _ in blocks]
    for i, targets in enumerate(succs):
        for t in targets:
            preds[t].append(i)
    idom = dominators(preds)
    _loops(blocks, preds, succs, idom)
    _frequencies(blocks, preds, succs)
    return Flow(preds, succs, idom)


def _loops(blocks: list[MBlock], preds: list[list[int]], succs: list[list[int]], idom: list[int]) -> None:
    """Set every block's `depth`: in how many natural loops it is."""
    bodies: dict[int, set[int]] = {}
    back = [(i, head) for i, targets in enumerate(succs) for head in targets if head <= i and common(idom, [head, i]) == head]
    for latch, head in back:
        body = bodies.setdefault(head, {head})
        work = [latch]
        while work:
            b = work.pop()
            if b not in body:
                body.add(b)
                work += preds[b]
    for block in blocks:
        block.depth = 0
    for body in bodies.values():
        for b in body:
            blocks[b].depth += 1


def _frequencies(blocks: list[MBlock], preds: list[list[int]], succs: list[list[int]]) -> None:
    """A branch goes either way equally often, except that it stays in its loop; forward edges only."""
    share = [0.0] * len(blocks)
    share[0] = 1.0
    for i, block in enumerate(blocks):
        block.freq = max(share[i], 1e-3) * LOOP_WEIGHT ** min(block.depth, MAX_DEPTH)
        inside = [t for t in succs[i] if blocks[t].depth >= block.depth]
        leaving = [t for t in succs[i] if blocks[t].depth < block.depth]
        for t in succs[i]:
            if t <= i:
                continue
            if leaving and inside:
                # all that enters a loop leaves it; while inside, leaving is the rare case
                share[t] += share[i] if t in inside else share[i] / max(1, len(leaving))
            else:
                share[t] += share[i] / len(succs[i])
