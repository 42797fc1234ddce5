"""Blocks that do the same become one; where they differ in a value from outside, it becomes a parameter.

    bad1:                                   bad(%v: i64):
      store.u64 %p, %x                        store.u64 %p, %v
      store.u64 %q, 1                         store.u64 %q, 1
      ret 2                         ==>       ret 2
    bad2:
      store.u64 %p, %y
      store.u64 %q, 1
      ret 2

Works up from the ends of the program, so that whole tails become one, round by round. A function inlined in several
places and error exits leave many.
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Block, Const, Edge, Function, Param, Value
from .cfgclean import incoming, same, used_elsewhere
from .dce import drop_unreachable

_LIMIT: Final = 40  # ops; longer twins are rare
_ROUNDS: Final = 6


Into = dict[Block, list[tuple[Block, Edge]]]
Twin = tuple[Block, list[Value]]  # a block, and the outside values it uses


def merge(fn: Function) -> bool:
    changed = False
    for _ in range(_ROUNDS):
        if not _round(fn):
            break
        drop_unreachable(fn)
        changed = True
    return changed


def _round(fn: Function) -> bool:
    groups: dict[object, list[Twin]] = {}
    shapes: dict[object, int] = {}
    for block in fn.blocks[1:]:  # a cheap key first: most blocks have no twin
        if len(block.ops) <= _LIMIT:
            key = _outline(block)
            shapes[key] = shapes.get(key, 0) + 1
    for block in fn.blocks[1:]:
        if len(block.ops) <= _LIMIT and shapes[_outline(block)] > 1:
            content, outer = _content(block)
            groups.setdefault(content, []).append((block, outer))
    twins = [g for g in groups.values() if len(g) > 1]
    if not twins:
        return False
    closed = _closed(fn, {b for g in twins for b, _ in g})
    changed = False
    into = incoming(fn)
    for group in twins:
        group = [(b, outer) for b, outer in group if b in closed]
        group = _merge_same(group, into)
        if len(group) > 1 and _merge_alike(group, into):
            changed = True
    return changed or any(not into[b] for b in fn.blocks[1:])


def _outline(block: Block) -> object:
    return (len(block.params), len(block.ops), block.ops[0].row, *(e.block for e in block.edges))


def _content(block: Block) -> tuple[object, list[Value]]:
    """What a block does, with its own values numbered and holes for others; and those others, in order."""
    number: dict[Value, int] = {p: i for i, p in enumerate(block.params)}
    outer: list[Value] = []
    out: list[object] = [tuple(p.type for p in block.params)]

    def name(v: Value) -> object:
        if v in number:
            return number[v]
        outer.append(v)
        return v.type

    for op in block.ops:
        args = tuple(map(name, op.args))
        edges = tuple((e.block, *map(name, e.args)) for e in op.edges)
        out.append((op.row, op.type, op.attr, args, edges))
        number[op] = len(number)
    return tuple(out), outer


def _closed(fn: Function, candidates: set[Block]) -> set[Block]:
    """Those of the candidates whose values are not used in other blocks."""
    home: dict[Value, Block] = {v: b for b in candidates for v in (*b.params, *b.ops)}
    return candidates - used_elsewhere(fn, home)


def _merge_same(group: list[Twin], into: Into) -> list[Twin]:
    """Lead all ways into equal blocks to the first of them; the blocks that are left."""
    left: list[Twin] = []
    firsts: dict[object, Block] = {}
    for block, outer in group:
        first = firsts.setdefault(tuple(("const", v.value) if isinstance(v, Const) else v for v in outer), block)
        if first is block:
            left.append((block, outer))
        else:
            for pred, edge in into[block]:
                edge.block = first
                into[first].append((pred, edge))
            into[block] = []
    return left


def _merge_alike(group: list[Twin], into: Into) -> bool:
    """Make one block of several that differ in outside values, if that is worth the parameters."""
    block, outer = group[0]
    columns = [[o[i] for _, o in group] for i in range(len(outer))]
    differing = [i for i, column in enumerate(columns) if not all(same(column[0], v) for v in column)]
    params: list[tuple[list[Value], Param]] = []
    which: dict[int, Param] = {}
    for i in differing:
        column = columns[i]
        if (t := column[0].type).is_ptr and t.row.fixed:
            return False
        param = next((p for c, p in params if all(same(x, y) for x, y in zip(c, column))), None)
        if param is None:
            param = Param(column[0].type, getattr(column[0], "name", ""))
            params.append((column, param))
        which[i] = param
    body = len(block.ops) - 1
    if body < 1 + 2 * len(params):
        return False
    at = 0
    own = {*block.params, *block.ops}
    for op in block.ops:
        for args in (op.args, *(e.args for e in op.edges)):
            for k, arg in enumerate(args):
                if arg not in own:
                    args[k] = which.get(at, arg)
                    at += 1
    block.params += [p for _, p in params]
    for n, (twin, _) in enumerate(group):
        for pred, edge in list(into[twin]):
            edge.args += [column[n] for column, _ in params]
            edge.block = block
            if n:
                into[block].append((pred, edge))
        if n:
            into[twin] = []
    return True
