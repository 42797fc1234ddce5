"""Comparisons whose result is a value become arithmetic.

    %c = slt %x, 0                        %c = shr %x, 63
    store.u8 %p, %c                ==>    store.u8 %p, %c

    %c = ult %a, %b                       %d = sub %a, %b          # both below 2**63
    %s = add %s0, %c               ==>    %c = shr %d, 63
                                          %s = add %s0, %c

A branch is two ways through all that follows, which the kernel's verifier walks one by one, and where it can decide the
test it has to keep the operands apart in every earlier round of a loop. Tests that branch stay, and so do those of pointers
and of what indexes are made of: there the verifier learns from the branch.
"""

from __future__ import annotations

from typing import Final

from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import SWAPPED, TABLE, OpRow, signed
from ..ir.types import I64
from .bits import Bits
from .rows import R
from .shape import guarded

_TESTS: Final = frozenset(SWAPPED)
_JOIN: Final = frozenset((R.and_, R.or_, R.and32, R.or32))
_TOP: Final = 1 << 63
# x < y by the sign of x - y: (operands change places, the answer is the contrary)
_LESS: Final = {TABLE[s + n]: how for s in "us" for n, how in (
    ("lt", (False, False)), ("gt", (True, False)), ("ge", (False, True)), ("le", (True, True)))}


def booleans(fn: Function) -> bool:
    uses = fn.uses()
    indexes = guarded(fn)
    bits = Bits()
    changed = False
    for block in fn.blocks:
        at = 0
        while at < len(block.ops):
            op = block.ops[at]
            at += 1
            if op.row not in _TESTS or any(a.type is not I64 or a in indexes for a in op.args):
                continue
            users = uses.get(op, [])
            if not users or all(_tests(user, op, uses) for user in users):
                continue
            made = _arithmetic(op, bits)
            if not made:
                continue
            block.ops[at:at] = made
            at += len(made)
            for user in users:
                if not _tests(user, op, uses):
                    _replace(user, op, made[-1])
            changed = True
    return changed


def _tests(user: Op, op: Op, uses: dict[Value, list[Op]], depth: int = 4) -> bool:
    """Whether `user` only decides by `op`: a branch on it, or on what it makes of several tests."""
    if any(a is op for e in user.edges for a in e.args):
        return all(_decides(e.block, i, uses) for e in user.edges for i, a in enumerate(e.args) if a is op)
    if user.row is R.br:
        return True
    if user.row is R.select:
        return op not in user.args[1:]
    zero = user.row in (R.eq, R.ne) and isinstance(user.args[1], Const) and user.args[1].value == 0
    if depth and (zero or user.row in _JOIN and all(isinstance(a, Op) and a.row in _TESTS for a in user.args)):
        return all(_tests(after, user, uses, depth - 1) for after in uses.get(user, []))
    return False


def _decides(block: Block, i: int, uses: dict[Value, list[Op]]) -> bool:
    """Whether all that happens to parameter `i` of `block` is that the block, which does nothing else, branches on it."""
    end = block.terminator
    return len(block.ops) == 1 and end.row is R.br and end.args[0] is block.params[i] and len(uses[block.params[i]]) == 1


def _replace(user: Op, old: Value, new: Value) -> None:
    user.args = [new if a is old else a for a in user.args]
    for edge in user.edges:
        edge.args = [new if a is old else a for a in edge.args]


def _arithmetic(op: Op, bits: Bits) -> list[Op]:
    """Ops of which the last is what `op` gives; [] where a branch is as good."""
    x, y = op.args
    match op.row, y:
        case R.slt, Const(0):
            return _ops(op, (R.shr, x, 63))
        case R.slt32, Const(0):
            return _ops(op, (R.shr32, x, 31))
        case R.sgt, Const(-1):
            return _ops(op, (R.shr, x, 63), (R.xor, None, 1))
        case R.sgt32, Const(-1):
            return _ops(op, (R.shr32, x, 31), (R.xor, None, 1))
    how = _LESS.get(op.row)
    if how is None or (bits.may(x) | bits.may(y)) & _TOP:
        return []
    swapped, contrary = how
    if swapped:
        x, y = y, x
    if isinstance(x, Const) and contrary:
        return []
    step = (R.add, x, -y.value) if isinstance(y, Const) else (R.sub, x, y)
    return _ops(op, step, (R.shr, None, 63), *([(R.xor, None, 1)] if contrary else []))


def _ops(like: Op, *steps: tuple[OpRow, Value | None, Value | int]) -> list[Op]:
    """Ops one after the other; None: the result of the one before."""
    out: list[Op] = []
    for row, a, b in steps:
        first = out[-1] if a is None else a
        second = Const(signed(b)) if isinstance(b, int) else b
        out.append(Op(row, [first, second], I64, span=like.span))
    out[-1].name = like.name
    return out
