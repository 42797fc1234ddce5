"""Arithmetic moves down, to where it is needed: into the one block that uses it, and below a join when every way does it.

    a:                                    a:
      %x = bswap16 %p                       jump join(%p)
      jump join(%x)                       b:
    b:                             ==>      jump join(%q)
      %y = bswap16 %q                     join(%u: i64):
      jump join(%y)                         %v = bswap16 %u
    join(%v: i64):
"""

from __future__ import annotations

from ..ir.cfg import Cfg, Loop
from ..ir.function import Block, Const, Edge, Function, Op, Param, Value
from ..ir.types import I64
from .cfgclean import incoming, same
from .rows import R

_INVOLUTIONS = {R.bswap16: 0xFFFF, R.bswap32: 0xFFFFFFFF, R.bswap64: -1}  # f(f(c)) is c for c within the mask


_Users = dict[Value, dict[Block | tuple[Block], int]]  # value -> block -> uses there; (block,): on an edge, needed in a register


def sink(fn: Function) -> bool:
    """Both; whether anything moved."""
    changed = _below_joins(fn)
    return _into_users(fn) or changed


def _into_users(fn: Function) -> bool:
    """Move ops whose users all stand in one other block, outside of loops that the op is not in, to before the first."""
    if len(fn.blocks) == 1:
        return False
    cfg = Cfg(fn)
    inner: dict[Block, Loop] = {}
    for loop in reversed(cfg.loops):
        for b in loop.blocks:
            inner[b] = loop
    users: _Users = {}
    for block in cfg.order:
        for op in block.ops:
            for v in op.args:
                _count(users, v, block, 1)
            for edge in op.edges:
                for v in edge.args:
                    _count(users, v, (block,), 1)
    arriving: dict[Block, list[Op]] = {}
    for block in reversed(cfg.order):  # users first: where they have gone is known when their operands' turn comes
        staying: list[Op] = []
        for op in reversed(block.ops):
            to = next(iter(users[op])) if len(users.get(op, ())) == 1 else None
            if (not isinstance(to, Block) or to is block or inner.get(to) is not inner.get(block) or not _movable(op)
                    or _crowds(op, block, users, cfg.index)):
                staying.append(op)
                continue
            arriving.setdefault(to, []).append(op)
            for v in op.args:
                _count(users, v, block, -1)
                _count(users, v, to, 1)
        staying.reverse()
        block.ops = staying
    for block, ops in arriving.items():
        _place(block, ops)
    return bool(arriving)


def _count(users: _Users, v: Value, block: Block | tuple[Block], change: int) -> None:
    at = users.setdefault(v, {})
    at[block] = at.get(block, 0) + change
    if not at[block]:
        del at[block]


def _movable(op: Op) -> bool:
    return op.row.evaluate is not None or op.row is R.ptradd


def _crowds(op: Op, block: Block, users: _Users, index: dict[Block, int]) -> bool:
    """Whether more registers are in use if the op moves down: two values that nobody needs behind this block, instead of the
    one that it gives."""
    here = index[block]
    ending = [v for v in op.args if not isinstance(v, Const)
              and all(index[at if isinstance(at, Block) else at[0]] <= here for at in reversed(users[v]))]
    return len(ending) > 1


def _place(block: Block, ops: list[Op]) -> None:
    """Put `ops`, the last computed first, before their first users in `block`."""
    first: dict[Value, int] = {}
    for i, user in enumerate(block.ops):
        for v in user.args:
            first.setdefault(v, i)
    before: dict[int, list[Op]] = {}
    for op in ops:
        at = first[op]
        before.setdefault(at, []).append(op)
        for v in op.args:
            first[v] = min(at, first.get(v, at))
    block.ops = [o for i, op in enumerate(block.ops) for o in (*reversed(before.get(i, ())), op)]


def _below_joins(fn: Function) -> bool:
    uses = fn.uses()
    mapping: dict[Value, Value] = {}
    for block, edges in incoming(fn).items():
        if len(edges) < 2:
            continue
        made: list[Op] = []
        for i, param in enumerate(block.params):
            if param.type is I64:
                op = _common(param, i, [e for _, e in edges], uses)
                if op is not None:
                    made.append(op)
                    mapping[param] = op
                    block.params[i] = param_of(op)
        block.ops[:0] = made
    fn.replace(mapping)
    return bool(mapping)


def param_of(op: Op) -> Param:
    param = op.args[0]
    assert isinstance(param, Param)
    return param


def _common(param: Param, i: int, edges: list[Edge], uses: dict[Value, list[Op]]) -> Op | None:
    """The op to compute `param` from a new parameter, whose values are then on the edges; None if there is none."""
    first = next((a for e in edges if isinstance(a := e.args[i], Op)), None)
    if first is None or first.row.evaluate is None or not 1 <= len(first.args) <= 2:
        return None
    if len(first.args) == 2 and not isinstance(first.args[1], Const):
        return None
    operands: list[Value] = []
    for edge in edges:
        arg = edge.args[i]
        if isinstance(arg, Const) and first.row in _INVOLUTIONS and arg.value & ~_INVOLUTIONS[first.row] == 0:
            assert first.row.evaluate is not None
            operands.append(Const(first.row.evaluate(arg.value)))
        elif (isinstance(arg, Op) and arg.row is first.row and len(uses[arg]) == 1 and arg.args[0].type is I64
              and all(same(a, b) for a, b in zip(arg.args[1:], first.args[1:]))):
            operands.append(arg.args[0])
        else:
            return None
    for edge, operand in zip(edges, operands):
        edge.args[i] = operand
    return Op(first.row, [Param(I64, param.name), *first.args[1:]], I64, span=first.span, name=param.name)
