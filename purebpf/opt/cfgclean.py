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

A branch whose two ways lead to the same block with 1 and 0 passes the condition itself. Blocks with the same content
become one. A program has many `ret 1`.
"""

from __future__ import annotations

from ..ir.function import Block, Const, Edge, Function, Op, Value
from ..ir.ops import INVERSE
from ..ir.types import I64
from .dce import drop_unreachable
from .rewrite import R


def cfgclean(fn: Function) -> bool:
    changed = drop_unreachable(fn)
    for _ in range(10):
        again = _branches(fn)
        again |= _skip_empty(fn)
        again |= _merge_equal(fn)
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
    args: list[Value] = []
    for a, b in zip(then.args, other.args):
        match a, b:
            case _ if same(a, b):
                args.append(a)
            case Const(1), Const(0):
                args.append(_truth(block, cond, True))
            case Const(0), Const(1):
                args.append(_truth(block, cond, False))
            case _:
                return None
    return args


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
    own = {p: b for b in empty for p in b.params}
    if own:  # a parameter that is used further on must stay
        for block in fn.blocks:
            for op in block.ops:
                used = op.args if not op.edges else [*op.args, *(a for e in op.edges for a in e.args)]
                for arg in used:
                    home = own.get(arg)  # type: ignore[call-overload]
                    if home is not None and home is not block:
                        empty.discard(home)
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


def drop_trivial_params(fn: Function) -> bool:
    """A parameter that gets one value, or itself, on every edge is that value."""
    mapping: dict[Value, Value] = {}

    def final(v: Value) -> Value:
        while v in mapping:
            v = mapping[v]
        return v

    into = incoming(fn)
    again = True
    while again:
        again = False
        for block in fn.blocks[1:]:
            edges = into[block]
            for i in range(len(block.params) - 1, -1, -1):
                param = block.params[i]
                only: Value | None = None
                for _, edge in edges:
                    arg = final(edge.args[i])
                    if arg is param or (only is not None and same(arg, only)):
                        continue
                    if only is not None:
                        break
                    only = arg
                else:
                    if only is None:
                        continue
                    mapping[param] = only
                    del block.params[i]
                    for _, edge in edges:
                        del edge.args[i]
                    again = True
    fn.replace(mapping)
    return bool(mapping)


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


# --- equal blocks -----------------------------------------------------------------------------------------------------

_LIMIT = 12  # ops; longer twins are rare


def _merge_equal(fn: Function) -> bool:
    """Of blocks with the same content, only one stays. Their values must not be used elsewhere."""
    groups: dict[object, list[Block]] = {}
    for block in fn.blocks[1:]:
        if len(block.ops) <= _LIMIT:
            groups.setdefault(_outline(block), []).append(block)
    twins = [g for g in groups.values() if len(g) > 1]
    if not twins:
        return False
    candidates = {b for g in twins for b in g}
    home: dict[Value, Block] = {v: b for b in candidates for v in (*b.params, *b.ops)}
    for block in fn.blocks:
        for op in block.ops:
            for arg in (*op.args, *(a for e in op.edges for a in e.args)):
                at = home.get(arg)
                if at is not None and at is not block:
                    candidates.discard(at)
    instead: dict[Block, Block] = {}
    for group in twins:
        by_content: dict[object, Block] = {}
        for block in group:
            if block in candidates:
                first = by_content.setdefault(_content(block), block)
                if first is not block:
                    instead[block] = first
    for block in fn.blocks:
        for edge in block.edges:
            edge.block = instead.get(edge.block, edge.block)
    return bool(instead)


def _outline(block: Block) -> object:
    """Equal for equal blocks, cheap."""
    end = block.terminator
    return (len(block.params), len(block.ops), end.row, block.ops[0].row, *(e.block for e in end.edges))


def _content(block: Block) -> object:
    """Equal exactly for blocks that do the same: values of the block itself are numbered, others are themselves."""
    number: dict[Value, int] = {p: i for i, p in enumerate(block.params)}

    def name(v: Value) -> object:
        return (v.value,) if isinstance(v, Const) else number.get(v, v)

    out: list[object] = [tuple(p.type for p in block.params)]
    for op in block.ops:
        edges = tuple((e.block, *map(name, e.args)) for e in op.edges)
        out.append((op.row, op.type, type(op.attr), op.attr, tuple(map(name, op.args)), edges))
        number[op] = len(number)
    return tuple(out)


