"""Loops: unrolled when they run a known, small number of times; invariant arithmetic moved in front.

    loop(%i: i64, %s: i64):                 %s1 = add %s0, 0
      %c = ult %i, 3                        %s2 = add %s1, 1
      br %c, body, done            ==>      %s3 = add %s2, 2
    body:                                   jump done
      %t = add %s, %i
      ...

The number of rounds is found by running what the exit test depends on. Every round becomes a copy of the loop's blocks,
folded by the passes that follow.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import Cfg, Loop
from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.ops import TABLE
from ..ir.types import VOID
from .cfgclean import drop_trivial_params
from .clone import clone, repair, unique_names
from .dce import drop_unreachable
from .rows import R

BUDGET: Final = 160  # ops that all rounds may have together
ROUNDS: Final = 64
_COST: Final = {**{row: 3 for name, row in TABLE.items() if "div" in name or "mod" in name},
                **{row: 4 for row in TABLE.values() if row.effect == "call"}}


def unroll(fn: Function) -> bool:
    """Unroll innermost loops, then those that became innermost."""
    changed = False
    tried: set[Block] = set()
    while True:
        todo = _Round(fn, tried)
        if not todo.run():
            return changed
        changed |= todo.finish()


class _Round:
    """The loops that are innermost at one time; they have no block in common. SSA is repaired once, at the end."""

    def __init__(self, fn: Function, tried: set[Block]) -> None:
        self.fn, self.cfg, self.tried = fn, Cfg(fn), tried
        self.taken = {b.name for b in fn.blocks}
        self.touched: set[Block] = set()
        self.behind: dict[Block, list[Block]] = {}  # a block -> the copies to put behind it
        self.defs: dict[Value, list[tuple[Block, Value]]] = {}
        self.owner: dict[Block | Value, Loop] = {}

    def run(self) -> bool:
        """Unroll what can be; whether there is anything to finish, or to look at again."""
        inner = {loop.parent for loop in self.cfg.loops}
        again = False
        for loop in self.cfg.loops:
            if loop in inner or loop.header in self.tried:
                continue
            if any(p in self.touched for p in self.cfg.preds[loop.header]):
                again = True  # the way in has changed: in the next round
                continue
            self.tried.add(loop.header)
            again |= self.unroll(loop)
        return again

    def unroll(self, loop: Loop) -> bool:
        cfg = self.cfg
        outside = [e for p in cfg.preds[loop.header] if p not in loop.blocks for e in p.edges if e.block is loop.header]
        if len(loop.latches) != 1 or len(outside) != 1:
            return False
        blocks = sorted(loop.blocks, key=cfg.index.__getitem__)
        if sum(len(b.ops) for b in blocks) > BUDGET:
            return False
        latch = loop.latches[0]
        if sum(e.block is loop.header for e in latch.edges) != 1:
            return False
        for block in blocks:
            end = block.terminator
            if end.row is R.br and (end.edges[0].block in loop.blocks) != (end.edges[1].block in loop.blocks) and cfg.dominates(block, latch):
                rounds = _rounds(loop, blocks, outside[0], block)
                if rounds is not None and rounds * _weight(loop, blocks) <= BUDGET:
                    self.expand(loop, blocks, block, rounds)
                    return True
        return False

    def expand(self, loop: Loop, blocks: list[Block], test: Block, rounds: int) -> None:
        """`rounds` more copies of the loop, each leading to the next; the test is decided in each."""
        homes = {v: b for b in blocks for v in (*b.params, *b.ops) if v.type is not VOID}
        self.defs.update({v: [(b, v)] for v, b in homes.items()})
        self.owner.update(dict.fromkeys(homes, loop))
        stay = 0 if test.terminator.edges[0].block in loop.blocks else 1
        copies: list[dict[Block, Block]] = [{b: b for b in blocks}]
        for n in range(1, rounds + 1):
            values: dict[Value, Value] = {}
            copy = clone(blocks, values, unique_names(self.fn, blocks, str(n), self.taken))
            for v, b in homes.items():
                self.defs[v].append((copy[b], values[v]))
            copies.append(copy)
        self.behind[blocks[-1]] = [b for copy in copies[1:] for b in copy.values()]
        latch = loop.latches[0]
        for copy, ahead in zip(copies, copies[1:]):
            for edge in copy[latch].edges:
                if edge.block is copy[loop.header]:
                    edge.block = ahead[loop.header]
        for n, copy in enumerate(copies):
            end = copy[test].terminator
            end.edges = [end.edges[stay if n < rounds else 1 - stay]]
            end.row, end.args = R.jump, []
            self.owner.update(dict.fromkeys(copy.values(), loop))
        self.touched |= loop.blocks

    def finish(self) -> bool:
        fn, owner = self.fn, self.owner
        if not self.behind:
            return False
        fn.blocks = [b for block in fn.blocks for b in (block, *self.behind.get(block, ()))]
        drop_unreachable(fn)
        keep = set(fn.blocks)
        defs = {v: [(b, w) for b, w in places if b in keep] for v, places in self.defs.items()}
        repair(fn, defs, lambda v, block: owner.get(block) is owner[v])
        drop_trivial_params(fn)
        return True


def _weight(loop: Loop, blocks: list[Block]) -> int:
    """Ops a round will cost: those with an operand that is no constant of that round."""
    folded: set[Value] = set()
    cost = 0
    latch = next(e for e in loop.latches[0].edges if e.block is loop.header)
    steps = {p: a for p, a in zip(loop.header.params, latch.args)}
    for p, a in steps.items():
        if isinstance(a, Op) and a.row is R.add and a.args[0] is p and isinstance(a.args[1], Const):
            folded.add(p)
    for block in blocks:
        for op in block.ops:
            if op.row.evaluate is not None and all(isinstance(a, Const) or a in folded for a in op.args):
                folded.add(op)
            elif op.row is not R.jump:
                cost += _COST.get(op.row, 1)
    return cost


def _rounds(loop: Loop, blocks: list[Block], entry: Edge, test: Block) -> int | None:
    """How many times `test` keeps the loop going, if that depends on constants only."""
    cond = test.terminator.args[0]
    stay = 0 if test.terminator.edges[0].block in loop.blocks else 1
    latch = next(e for e in loop.latches[0].edges if e.block is loop.header)
    index = {p: i for i, p in enumerate(loop.header.params)}
    inside = {op for b in blocks for op in b.ops}
    needed: list[Param] = []
    order: list[Op] = []
    seen: set[Value] = set()

    def visit(v: Value, depth: int) -> bool:
        if isinstance(v, Const) or v in seen:
            return True
        seen.add(v)
        if isinstance(v, Param):
            if v not in index or not isinstance(entry.args[index[v]], Const):
                return False
            needed.append(v)
            return visit(latch.args[index[v]], depth + 1)
        assert isinstance(v, Op)
        if v not in inside or v.row.evaluate is None or depth > 40 or not all(visit(a, depth + 1) for a in v.args):
            return False
        order.append(v)
        return True

    if not visit(cond, 0):
        return None
    wanted = set(order)
    order = [op for b in blocks for op in b.ops if op in wanted]
    env: dict[Value, int] = {p: _int(entry.args[index[p]], {}) for p in needed}
    for n in range(ROUNDS + 1):
        for op in order:
            assert op.row.evaluate is not None
            env[op] = op.row.evaluate(*(_int(a, env) for a in op.args))
        if bool(_int(cond, env)) != (stay == 0):
            return n
        env.update({p: _int(latch.args[index[p]], env) for p in needed})
    return None


def _int(v: Value, env: dict[Value, int]) -> int:
    return v.value if isinstance(v, Const) else env[v]


# --- invariant code ---------------------------------------------------------------------------------------------------


def hoist(fn: Function) -> bool:
    """Move arithmetic that gives the same in every round in front of the loop."""
    cfg = Cfg(fn)
    changed = False
    for loop in cfg.loops:
        outside = [p for p in cfg.preds[loop.header] if p not in loop.blocks]
        if len(outside) != 1 or len(outside[0].edges) != 1:
            continue
        inside: set[Value] = {v for b in loop.blocks for v in (*b.params, *b.ops)}
        moved: list[Op] = []
        for block in sorted(loop.blocks, key=cfg.index.__getitem__):
            for op in block.ops:
                if op.row.evaluate is not None and not any(a in inside for a in op.args) and op.row not in _TESTS:
                    moved.append(op)
                    inside.discard(op)
        if moved:
            changed = True
            gone = set(moved)
            for block in loop.blocks:
                block.ops = [op for op in block.ops if op not in gone]
            outside[0].ops[-1:-1] = moved
    return changed


_TESTS: Final = frozenset(getattr(R, n + w) for n in ("eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge")
                          for w in ("", "32"))
