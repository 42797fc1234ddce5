"""Selects whose condition a branch has decided since: below the branch, the choice is known.

    %c = ule %p, %end                          %c = ule %p, %end
    %s = select %c, %p, %q                     %s = select %c, %p, %q
    %d = ugt %p, %end                          %d = ugt %p, %end
    br %d, short, good                         br %d, short, good
    good:                            ==>       good:
      use %s                                     use %p

Before that, what only one way needs moves there: the next header's check then sees where the cursor is. A select that
something else looks at, too, stays everywhere: the verifier walks the way where it is the other, and what was checked
through it there is not what is accessed through the choice.
"""

from __future__ import annotations

from collections.abc import Container

from ..ir.cfg import Cfg
from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import INVERSE, SWAPPED, OpRow
from .dce import dce
from .rows import R

Key = tuple[object, ...]


def decided(fn: Function) -> bool:
    """Whether a use of a select was replaced by what it gives there."""
    selects: dict[Key, list[tuple[Op, bool]]] = {}
    for op in fn.ops():
        if op.row is R.select:
            for key, positive in _keys(op.args[0]):
                selects.setdefault(key, []).append((op, positive))
    if not selects:
        return False
    changed = dce(fn)  # a dead use holds nothing up
    cfg = Cfg(fn)
    changed |= _descend(fn, cfg)
    users = _users(cfg, {select for found in selects.values() for select, _ in found})
    known: dict[Block, dict[Value, Value]] = {}
    for block in cfg.tree():
        facts = dict(known.get(cfg.idom[block], {})) if block is not fn.entry else {}
        preds = cfg.preds[block]
        if len(preds) == 1 and preds[0].terminator.row is R.br:
            facts |= {s: arm for s, arm in _told(preds[0].terminator, block, selects).items() if _resolved(cfg, users.get(s, set()), preds[0])}
        known[block] = facts
        if facts:
            changed |= _apply(block, facts)
    return changed


def _descend(fn: Function, cfg: Cfg) -> bool:
    """Packet pointers and their comparisons move to the lowest block above all their uses, but into no loop."""
    home = {op: block for block in cfg.order for op in block.ops if op.row.pure and not op.row.fixed and _of_packet(op)}
    if not home:
        return False
    loops = {block: loop for loop in reversed(cfg.loops) for block in loop.blocks}
    users = _users(cfg, home)
    front: dict[Block, list[Op]] = {}
    for block in reversed(cfg.order):
        for op in reversed(block.ops):
            if op not in home or op not in users:
                continue
            target = _meeting(cfg, users[op])
            if target is block or loops.get(target) is not loops.get(block):
                continue
            front.setdefault(target, []).append(op)
            home[op] = target
            for arg in filter(home.__contains__, op.args):
                users[arg].add(target)
                if not any(arg in u.args and home.get(u, block) is block for u in block.ops) and not _on_edges(block, arg):
                    users[arg].discard(block)
    if not front:
        return False
    moved = {op for ops in front.values() for op in ops}
    for block in cfg.order:
        block.ops = [*reversed(front.get(block, [])), *(op for op in block.ops if op not in moved)]
    return True


def _users(cfg: Cfg, values: Container[Value]) -> dict[Value, set[Block]]:
    """The blocks in which these values are used."""
    users: dict[Value, set[Block]] = {}
    for block in cfg.order:
        used = [a for op in block.ops for a in op.args] + [a for edge in block.edges for a in edge.args]
        for arg in used:
            if arg in values:
                users.setdefault(arg, set()).add(block)
    return users


def _resolved(cfg: Cfg, users: set[Block], branch: Block) -> bool:
    """Do all who look at the select come after the branch?"""
    ways = [e.block for e in branch.edges if len(cfg.preds[e.block]) == 1]
    return all(any(cfg.dominates(way, user) for way in ways) for user in users)


def _of_packet(op: Op) -> bool:
    return any(v.type.row.moved for v in (op, *op.args) if v.type.is_ptr)


def _on_edges(block: Block, value: Value) -> bool:
    return any(value in edge.args for edge in block.edges)


def _meeting(cfg: Cfg, blocks: set[Block]) -> Block:
    """The nearest block that dominates all of them."""
    found, *rest = blocks
    for block in rest:
        while not cfg.dominates(found, block):
            found = cfg.idom[found]
    return found


def _keys(cond: Value) -> list[tuple[Key, bool]]:
    """Names of a condition, by which others that say the same or the opposite are found."""
    if not isinstance(cond, Op) or cond.row not in INVERSE:
        return [((cond,), True)]
    a, b = cond.args
    return [((cond,), True), (_key(cond.row, a, b), True), (_key(SWAPPED[cond.row], b, a), True), (_key(INVERSE[cond.row], a, b), False),
            (_key(SWAPPED[INVERSE[cond.row]], b, a), False)]


def _key(row: OpRow, a: Value, b: Value) -> Key:
    return row, _operand(a), _operand(b)


def _operand(value: Value) -> object:
    return value.value if isinstance(value, Const) else value


def _told(branch: Op, block: Block, selects: dict[Key, list[tuple[Op, bool]]]) -> dict[Value, Value]:
    """What the branch into `block` says about selects."""
    then, other = branch.edges
    if then.block is other.block:
        return {}
    holds, cond = then.block is block, branch.args[0]
    if isinstance(cond, Op) and cond.row in (R.eq, R.ne) and isinstance(cond.args[1], Const) and cond.args[1].value == 0:
        keys = [*_keys(cond), *(((cond.args[0],), cond.row is R.ne),)]
    else:
        keys = _keys(cond)
    found: dict[Value, Value] = {}
    for key, same in keys:
        for select, positive in selects.get(key, ()):
            if select is not cond:
                found[select] = select.args[1 if positive == (same == holds) else 2]
    return found


def _apply(block: Block, facts: dict[Value, Value]) -> bool:
    def now(value: Value) -> Value:
        while value in facts:
            value = facts[value]
        return value

    changed = False
    for op in block.ops:
        if any(a in facts for a in op.args):
            op.args = [now(a) for a in op.args]
            changed = True
        for edge in op.edges:
            if any(a in facts for a in edge.args):
                edge.args = [now(a) for a in edge.args]
                changed = True
    return changed
