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
        cfg = Cfg(fn)
        inner = {l.parent for l in cfg.loops}
        for loop in cfg.loops:
            if loop in inner or loop.header in tried:
                continue
            tried.add(loop.header)
            if _unroll(fn, cfg, loop):
                changed = True
                break
        else:
            return changed


def _unroll(fn: Function, cfg: Cfg, loop: Loop) -> bool:
    outside = [e for p in cfg.preds[loop.header] if p not in loop.blocks for e in p.edges if e.block is loop.header]
    if len(loop.latches) != 1 or len(outside) != 1:
        return False
    blocks = [b for b in cfg.order if b in loop.blocks]
    if sum(len(b.ops) for b in blocks) > BUDGET:
        return False
    latch = loop.latches[0]
    if sum(e.block is loop.header for e in latch.edges) != 1:
        return False
    for block in blocks:
        end = block.terminator
        if end.row is R.br and (end.edges[0].block in loop.blocks) != (end.edges[1].block in loop.blocks) and cfg.dominates(block, latch):
            rounds = _rounds(cfg, loop, outside[0], block)
            if rounds is not None and rounds * _weight(loop, blocks) <= BUDGET:
                _expand(fn, cfg, loop, block, rounds)
                return True
    return False


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


def _rounds(cfg: Cfg, loop: Loop, entry: Edge, test: Block) -> int | None:
    """How many times `test` keeps the loop going, if that depends on constants only."""
    cond = test.terminator.args[0]
    stay = 0 if test.terminator.edges[0].block in loop.blocks else 1
    latch = next(e for e in loop.latches[0].edges if e.block is loop.header)
    index = {p: i for i, p in enumerate(loop.header.params)}
    inside = {op for b in loop.blocks for op in b.ops}
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
    order = [op for b in cfg.order if b in loop.blocks for op in b.ops if op in wanted]
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


def _expand(fn: Function, cfg: Cfg, loop: Loop, test: Block, rounds: int) -> None:
    """`rounds` more copies of the loop, each leading to the next; the test is decided in each."""
    blocks = [b for b in cfg.order if b in loop.blocks]
    defs: dict[Value, list[tuple[Block, Value]]] = {
        v: [(b, v)] for b in blocks for v in (*b.params, *b.ops) if v.type is not VOID}
    homes = {v: places[0][0] for v, places in defs.items()}
    stay = 0 if test.terminator.edges[0].block in loop.blocks else 1
    taken = {b.name for b in fn.blocks}
    copies: list[dict[Block, Block]] = [{b: b for b in blocks}]
    where = fn.blocks.index(blocks[-1]) + 1
    for n in range(1, rounds + 1):
        values: dict[Value, Value] = {}
        copy = clone(blocks, values, unique_names(fn, blocks, str(n), taken))
        for v, places in defs.items():
            places.append((copy[homes[v]], values[v]))
        copies.append(copy)
        fn.blocks[where:where] = copy.values()
        where += len(copy)
    latch = loop.latches[0]
    for n, copy in enumerate(copies):
        ahead = copies[n + 1][loop.header] if n < rounds else None
        for edge in copy[latch].edges:
            if edge.block is copy[loop.header] and ahead is not None:
                edge.block = ahead
    for n, copy in enumerate(copies):
        end = copy[test].terminator
        end.edges = [end.edges[stay if n < rounds else 1 - stay]]
        end.row, end.args = R.jump, []
    drop_unreachable(fn)
    keep = set(fn.blocks)
    defs = {v: [(b, w) for b, w in places if b in keep] for v, places in defs.items()}
    repair(fn, defs, {b for copy in copies for b in copy.values()})
    drop_trivial_params(fn)


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
        for block in cfg.order:
            if block not in loop.blocks:
                continue
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
