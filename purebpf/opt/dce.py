"""Drops what nobody needs: unreachable blocks, ops without use or effect, parameters only they use.

    loop(%i: i64, %unused: i64):          loop(%i: i64):
      %x = mul %i, %i              ==>      ...
      ...                                   jump loop(%next)
      jump loop(%next, %x)
"""

from __future__ import annotations

from ..ir.cfg import reverse_postorder
from ..ir.function import Block, Edge, Function, Op, Param, Value
from ..ir.ops import Helper, Kfunc, Mem


def removable(op: Op) -> bool:
    """Whether an op without uses may be dropped."""
    match op.row.effect:
        case "pure":
            return True
        case "read":
            return not (isinstance(op.attr, Mem) and op.attr.volatile)
        case "call":
            return isinstance(op.attr, (Helper, Kfunc)) and op.attr.pure
    return False


def drop_unreachable(fn: Function) -> bool:
    order = reverse_postorder(fn)
    if len(order) == len(fn.blocks):
        return False
    keep = set(order)
    fn.blocks = [b for b in fn.blocks if b in keep]
    return True


def dce(fn: Function) -> bool:
    changed = drop_unreachable(fn)
    into: dict[Block, list[Edge]] = {b: [] for b in fn.blocks}
    place: dict[Value, tuple[Block, int]] = {}
    work: list[Value] = []
    live: set[Value] = set()
    for block in fn.blocks:
        for i, param in enumerate(block.params):
            place[param] = block, i
        for edge in block.edges:
            into[edge.block].append(edge)
        for op in block.ops:
            if not removable(op):
                live.add(op)
                work.append(op)
    while work:
        value = work.pop()
        if isinstance(value, Op):
            needed = value.args
        elif isinstance(value, Param):
            block, i = place[value]
            needed = [e.args[i] for e in into[block]]
        else:
            continue
        for v in needed:
            if v not in live:
                live.add(v)
                work.append(v)
    for block in fn.blocks:
        if any(op not in live for op in block.ops):
            block.ops = [op for op in block.ops if op in live]
            changed = True
        if block is not fn.entry and any(p not in live for p in block.params):
            keep = [p in live for p in block.params]
            block.params = [p for p in block.params if p in live]
            for edge in into[block]:
                edge.args = [a for a, k in zip(edge.args, keep) if k]
            changed = True
    return changed
