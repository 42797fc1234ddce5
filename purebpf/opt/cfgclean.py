"""Fewer blocks and jumps: straight lines joined, empty blocks skipped, parameters that are always the same replaced.

    a:                                    a:
      br %c, b, d                           %x = add %v, 1
    b:                                      ret %x
      jump d                      ==>
    d:
      jump e(%v)
    e(%w: i64):
      %x = add %w, 1
      ret %x

A branch whose two ways lead to the same block with 1 and 0 passes the condition itself.
"""

from __future__ import annotations

from ..ir.function import Block, Const, Edge, Function, Op, Value
from ..ir.ops import INVERSE
from ..ir.types import I64
from .dce import drop_unreachable
from .rows import R


def cfgclean(fn: Function) -> bool:
    changed = drop_unreachable(fn)
    for _ in range(10):
        again = _branches(fn)
        again |= _skip_empty(fn)
        again |= drop_unreachable(fn)
        again |= drop_trivial_params(fn)
        again |= _join(fn)
        if not again:
            break
        changed = True
    return changed


def same(a: Value, b: Value) -> bool:
    return a is b or (isinstance(a, Const) and isinstance(b, Const) and a.value == b.value)


def incoming(fn: Function) -> dict[Block, list[tuple[Block, Edge]]]:
    """The edges into each block, with the blocks they come from."""
    into: dict[Block, list[tuple[Block, Edge]]] = {b: [] for b in fn.blocks}
    for block in fn.blocks:
        for edge in block.edges:
            into[edge.block].append((block, edge))
    return into


def _branches(fn: Function) -> bool:
    """Branches that are decided, or whose ways lead to the same block."""
    changed = False
    for block in fn.blocks:
        end = block.terminator
        if end.row is not R.br:
            continue
        cond, (then, other) = end.args[0], end.edges
        if isinstance(cond, Const):
            target = then if cond.value else other
        elif then.block is other.block and (args := _joined(block, cond, then, other)) is not None:
            target = Edge(then.block, args)
        else:
            continue
        end.row, end.args, end.edges = R.jump, [], [target]
        changed = True
    return changed


def _joined(block: Block, cond: Value, then: Edge, other: Edge) -> list[Value] | None:
    """The arguments for one edge that serve for both ways of a branch, if there are such."""
    args: list[Value | bool] = []
    for a, b in zip(then.args, other.args):
        match a, b:
            case _ if same(a, b):
                args.append(a)
            case (Const(1), Const(0)) | (Const(0), Const(1)):
                args.append(a.value == 1)
            case _:
                return None
    return [_truth(block, cond, a) if isinstance(a, bool) else a for a in args]


def _truth(block: Block, cond: Value, wanted: bool) -> Value:
    """1 if `cond` is not 0 (or is 0, if not `wanted`), as a value at the end of `block`."""
    if isinstance(cond, Op) and cond.row in INVERSE:
        if wanted:
            return cond
        op = Op(INVERSE[cond.row], cond.args, I64, span=cond.span)
    else:
        op = Op(R.ne if wanted else R.eq, [cond, Const(0)], I64, span=block.terminator.span)
    block.ops.insert(-1, op)
    return op


def _skip_empty(fn: Function) -> bool:
    """Edges to blocks that only jump on lead to where those jump."""
    empty = {b for b in fn.blocks if len(b.ops) == 1 and b.terminator.row is R.jump and b is not fn.entry
             and b.edges[0].block is not b}
    if not empty:
        return False
    own: dict[Value, Block] = {p: b for b in empty for p in b.params}
    if own:
        empty -= used_elsewhere(fn, own)  # a parameter that is used further on must stay
    changed = False
    for block in fn.blocks:
        for edge in block.edges:
            hops = 0
            while edge.block in empty and hops < 50:
                step = edge.block.edges[0]
                bound: dict[Value, Value] = dict(zip(edge.block.params, edge.args))
                edge.block, edge.args = step.block, [bound.get(a, a) for a in step.args]
                hops += 1
                changed = True
    return changed


def used_elsewhere(fn: Function, home: dict[Value, Block]) -> set[Block]:
    """The blocks of `home` whose values other blocks use."""
    found: set[Block] = set()
    for block in fn.blocks:
        for op in block.ops:
            for arg in (*op.args, *(a for e in op.edges for a in e.args)):
                at = home.get(arg)
                if at is not None and at is not block:
                    found.add(at)
    return found


def drop_trivial_params(fn: Function) -> bool:
    """A parameter that gets one value, or itself, on every edge is that value."""
    mapping: dict[Value, Value] = {}
    into = incoming(fn)
    again = True
    while again:
        again = False
        for block in fn.blocks[1:]:
            edges = into[block]
            trivial: list[Value | None] = []
            for i, param in enumerate(block.params):
                trivial.append(only := _only(param, [e.args[i] for _, e in edges], mapping))
                if only is not None:
                    mapping[param] = only
            if any(trivial):
                block.params = [p for p, only in zip(block.params, trivial) if only is None]
                for _, edge in edges:
                    edge.args = [a for a, only in zip(edge.args, trivial) if only is None]
                again = True
    fn.replace(mapping)
    return bool(mapping)


def _only(param: Value, args: list[Value], mapping: dict[Value, Value]) -> Value | None:
    """The one value among `args`, apart from `param` itself; None if there are several."""
    only: Value | None = None
    for arg in args:
        while arg in mapping:
            arg = mapping[arg]
        if arg is not param and (only is None or not same(arg, only)):
            if only is not None:
                return None
            only = arg
    return only


def _join(fn: Function) -> bool:
    """Blocks that always follow one another become one."""
    into = incoming(fn)
    mapping: dict[Value, Value] = {}
    gone: set[Block] = set()
    for block in fn.blocks:
        if block in gone:
            continue
        while block.terminator.row is R.jump:
            edge = block.edges[0]
            target = edge.block
            if target is block or target is fn.entry or len(into[target]) != 1:
                break
            mapping.update(zip(target.params, edge.args))
            block.ops.pop()
            block.ops += target.ops
            gone.add(target)
    if gone:
        fn.blocks = [b for b in fn.blocks if b not in gone]
        fn.replace(mapping)
    return bool(gone)
