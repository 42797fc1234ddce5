"""Jump threading: where the way taken into a block decides its branch, that way goes straight on.

    a:                                     a:
      br %c, b, join(0)                      br %c, b, no
    b:                                     b:
      %d = ult %x, 5                         %d = ult %x, 5
      jump join(%d)                 ==>      br %d, yes, no
    join(%ok: i64):
      br %ok, yes, no

The block's own ops are copied, so they must be few. A branch at a loop's head is threaded from outside only: that
leaves the loop with its test at the end, where it costs one jump less.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import Cfg
from ..ir.function import Block, Const, Edge, Function, Op, Value
from ..ir.ops import INVERSE
from ..ir.types import VOID
from .cfgclean import drop_trivial_params, incoming, same
from .clone import clone, repair, unique_names
from .rows import R

COPIED: Final = 4  # ops of a threaded block, besides those that become constants
SWEEPS: Final = 40  # over one function


def thread(fn: Function) -> bool:
    changed = False
    for _ in range(SWEEPS):
        if not _Sweep(fn).run():
            break
        changed = True
    if changed:
        drop_trivial_params(fn)
    return changed


class _Sweep:
    """Threads every block that can be, as the function was at the start; what that makes possible is for the next sweep.
    `defs`: what stands for the values of threaded blocks at the end of which blocks; `copies`: those in front of a block."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.into = incoming(fn)
        self.cfg: Cfg | None = None
        self.taken: set[str] | None = None
        self.defs: dict[Value, list[tuple[Block, Value]]] = {}
        self.copies: dict[Block, list[Block]] = {}

    def run(self) -> bool:
        for block in self.fn.blocks[1:]:
            end = block.terminator
            if end.row is R.br and len(block.ops) <= COPIED + 4 and len(self.into[block]) >= 2:
                found = self.ways(block)
                if found and _cost(block, found) <= COPIED:
                    self.redirect(block, found)
        if self.copies:
            self.fn.blocks = [b for block in self.fn.blocks for b in (*self.copies.get(block, ()), block)]
            repair(self.fn, self.defs, lambda v, at: at is self.defs[v][0][0])
        return bool(self.copies)

    def ways(self, block: Block) -> list[tuple[Block, Edge, int]]:
        """The edges into `block` that decide its branch, and which way. None yet if they bring values of threaded blocks."""
        found: list[tuple[Block, Edge, int]] = []
        for pred, edge in self.into[block]:
            if edge.block is not block or not self.defs.keys().isdisjoint(edge.args):
                return []
            way = _decided(block, pred, edge)
            if way is None:
                continue
            self.cfg = self.cfg or Cfg(self.fn)
            if self.cfg.reachable(pred) and not self.cfg.dominates(block, pred):
                found.append((pred, edge, way))
        return found

    def redirect(self, block: Block, found: list[tuple[Block, Edge, int]]) -> None:
        if self.taken is None:
            self.taken = {b.name for b in self.fn.blocks}
        copies = self.copies[block] = []
        for v in (*block.params, *block.ops):
            if v.type is not VOID:
                self.defs[v] = [(block, v)]
        for _, edge, way in found:
            values: dict[Value, Value] = dict(zip(block.params, edge.args))
            copy = clone([block], values, unique_names(self.fn, [block], "t", self.taken))[block]
            end = copy.terminator
            onward = end.edges[way]
            if onward.block is copy:  # the copy of a loop on itself leads to the original
                onward.block = block
            end.row, end.args, end.edges = R.jump, [], [onward]
            edge.block, edge.args = copy, []
            copies.append(copy)
            for v in (*block.params, *block.ops):
                if v in self.defs:
                    self.defs[v].append((copy, values[v]))


def _decided(block: Block, pred: Block, edge: Edge) -> int | None:
    """Which edge of the branch of `block` is taken when coming along `edge`, if that is known."""
    env: dict[Value, Value] = dict(zip(block.params, edge.args))
    for op in block.ops[:-1]:
        if op.row.evaluate is not None:
            args = [env.get(a, a) for a in op.args]
            if all(isinstance(a, Const) for a in args):
                env[op] = Const(op.row.evaluate(*(a.value for a in args if isinstance(a, Const))))
            elif (known := _same_test(op, args, pred, edge)) is not None:
                env[op] = Const(known)
    cond = env.get(block.terminator.args[0], block.terminator.args[0])
    if isinstance(cond, Const):
        return 0 if cond.value else 1
    end = pred.terminator
    if end.row is R.br and end.args[0] is cond and end.edges[0].block is not end.edges[1].block:
        return end.edges.index(edge)
    return None


def _same_test(op: Op, args: list[Value], pred: Block, edge: Edge) -> int | None:
    """What a comparison gives if the branch of `pred` asked the same. (A number that was asked for is 0 or is not, and where
    it is computed again the kernel knows neither.)"""
    end = pred.terminator
    if op.row not in INVERSE or end.row is not R.br or end.edges[0].block is end.edges[1].block:
        return None
    asked = end.args[0]
    if isinstance(asked, Op) and asked.row is op.row and all(same(a, b) for a, b in zip(asked.args, args)):
        return 1 - end.edges.index(edge)
    return None


def _cost(block: Block, found: list[tuple[Block, Edge, int]]) -> int:
    """Ops that a copy of the block would keep, at most over the ways found."""
    worst = 0
    for _, edge, _ in found:
        env: dict[Value, Value] = dict(zip(block.params, edge.args))
        folded: set[Value] = {p for p, a in env.items() if isinstance(a, Const)}
        count = 0
        for op in block.ops[:-1]:
            if op.row.evaluate is not None and all(a in folded or isinstance(a, Const) for a in op.args):
                folded.add(op)
            elif op is not block.terminator.args[0]:
                count += 1 if op.row.effect != "call" else COPIED + 1
        worst = max(worst, count)
    return worst
