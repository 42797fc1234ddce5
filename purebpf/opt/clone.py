"""Copies of blocks: for inlining, unrolling and jump threading; and repairing SSA afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..ir.function import Block, Edge, Function, Op, Param, Value
from .dce import drop_unreachable
from .ssa import Variables


def clone(blocks: Iterable[Block], values: dict[Value, Value], names: dict[Block, str]) -> dict[Block, Block]:
    """Copies of `blocks`; edges among them lead to copies. `values` has what stands for outside values and gets every
    copied value. `names`: the copies' names."""
    copies: dict[Block, Block] = {}
    for block in blocks:
        copies[block] = copy = Block(names[block])
        for param in block.params:
            if param not in values:
                values[param] = new = Param(param.type, param.name)
                copy.params.append(new)
    for block, copy in copies.items():
        for op in block.ops:
            values[op] = new_op = Op(op.row, op.args, op.type, op.attr, (), op.span, op.name)
            new_op.edges = [Edge(copies.get(e.block, e.block), e.args) for e in op.edges]
            copy.ops.append(new_op)
    for copy in copies.values():  # only now is every value known
        for op in copy.ops:
            op.args = [values.get(a, a) for a in op.args]
            for edge in op.edges:
                edge.args = [values.get(a, a) for a in edge.args]
    return copies


def unique_names(fn: Function, blocks: Iterable[Block], suffix: str, taken: set[str] | None = None) -> dict[Block, str]:
    """A name for a copy of each block: its own with `.suffix`, made unique in `fn`."""
    if taken is None:
        taken = {b.name for b in fn.blocks}
    names: dict[Block, str] = {}
    for block in blocks:
        stem = name = f"{block.name}.{suffix}"
        n = 1
        while name in taken:
            name = f"{stem}.{n}"
            n += 1
        taken.add(name)
        names[block] = name
    return names


Right = Callable[[Value, Block], bool]


def repair(fn: Function, defs: dict[Value, list[tuple[Block, Value]]], right: Right) -> None:
    """Make uses of values right that now have several definitions: `defs[v]` says what stands for v at the end of which
    blocks (v in its own block among them). `right(v, block)`: uses of v in that block are right already."""
    drop_unreachable(fn)
    used = _uses(fn, defs, right)
    if not used:
        return
    variables = Variables(fn)
    for v in {v for v, _, _, _ in used}:
        for block, value in defs[v]:
            variables.write(v, block, value)
    changes: list[tuple[list[Value], int, Value]] = []
    for v, block, args, at_end in used:
        name = v.name if isinstance(v, (Op, Param)) else ""
        new = variables.at_end(v, block, v.type, name) if at_end else variables.at_start(v, block, v.type, name)
        changes += [(args, i, new) for i, a in enumerate(args) if a is v]
    for args, i, new in changes:
        args[i] = new
    variables.finish()


def _uses(fn: Function, defs: dict[Value, list[tuple[Block, Value]]],
          right: Right) -> list[tuple[Value, Block, list[Value], bool]]:
    """(value, block, operand list, whether read at the block's end) for uses of `defs` that are not right."""
    used: list[tuple[Value, Block, list[Value], bool]] = []
    for block in fn.blocks:
        for op in block.ops:
            used += [(v, block, op.args, False) for v in dict.fromkeys(op.args) if v in defs and not right(v, block)]
            for edge in op.edges:
                used += [(v, block, edge.args, True) for v in dict.fromkeys(edge.args) if v in defs and not right(v, block)]
    return used
