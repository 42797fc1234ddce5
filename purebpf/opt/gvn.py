"""Values computed before are not computed again (dominator-scoped), loads included where nothing writes between.

    %1 = add %a, %b
    %2 = load.u32 %p + 4            %1 = add %a, %b
    %3 = add %a, %b          ==>    %2 = load.u32 %p + 4
    %4 = load.u32 %p + 4            %5 = add %1, %2
    %5 = add %3, %4

A store makes what it stored known to later loads. Memory of different regions, of different slots, and at different
offsets of one pointer is distinct; `ptr.arg` may be anything. A helper writes what it is passed and everything but
slots; a subprogram also every slot whose address was handed out. `below` and `nonnull` under other tests are other values.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import Cfg
from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import Data, Helper, Kfunc, Mem, Rmw
from ..ir.types import ANYTHING, DATA, I64
from ..ir.types import STACK as _STACK
from .rows import R

_ALL = ANYTHING
_HANDED = ANYTHING + 1  # a slot whose address was handed out: what calls may write

# Places whose content is remembered, those that were of use last. More would not fit into registers: loading again costs one
# instruction, keeping a value in the frame two.
WINDOW: Final = 40

Key = tuple[object, ...]
Place = tuple[object, int]  # base, offset


class Load:
    """What memory is known to hold: `value` as a load of `size` bytes gives it, at `place` in `region`."""

    __slots__ = ("place", "size", "region", "value")

    def __init__(self, place: Place, size: int, region: int, value: Value) -> None:
        self.place, self.size, self.region, self.value = place, size, region, value


Loads = dict[tuple[object, int, int], Load]  # by place and size; the one that was of use last is the last


def place(op: Op) -> Place:
    """Where a load, store or rmw goes: a base that stands for an object or a pointer, and the bytes from there."""
    base, attr = op.args[0], op.attr
    assert isinstance(attr, (Mem, Rmw))
    off = attr.off
    while isinstance(base, Op):
        if base.row is R.ptradd and isinstance(base.args[1], Const):
            off += base.args[1].value
        elif base.row is not R.nonnull:
            break
        base = base.args[0]
    if isinstance(base, Op) and isinstance(base.attr, Data):
        return (base.attr.section,), off + base.attr.off
    return base, off


def region(op: Op) -> int:
    """The classes of memory, as bits, that an access may touch."""
    return op.args[0].type.row.alias


def base_region(base: object) -> int:
    """The same for a base of `place`."""
    if isinstance(base, tuple):
        return DATA
    assert isinstance(base, Value)
    return base.type.row.alias


def object_base(base: object) -> bool:
    """Whether a base stands for an object of its own, distinct from every other base that does."""
    return isinstance(base, tuple) or (isinstance(base, Op) and base.row is R.alloca)


def overlap(a: Place, a_size: int, a_region: int, b: Place, b_size: int, b_region: int) -> bool:
    """Whether two accesses may touch the same byte."""
    if not a_region & b_region:
        return False
    if a[0] is b[0] or (isinstance(a[0], tuple) and a[0] == b[0]):
        return a[1] < b[1] + b_size and b[1] < a[1] + a_size
    return not (object_base(a[0]) and object_base(b[0]))


def writes(op: Op) -> int:
    """The regions, as bits, that an op may write."""
    if op.row is R.store or op.row is R.rmw:
        return region(op)
    if op.row.effect != "call":
        return 0
    outside = isinstance(op.attr, (Helper, Kfunc))
    if isinstance(op.attr, (Helper, Kfunc)) and (op.attr.pure or not op.attr.writes):
        return 0
    if outside and not any(a.type.row.frame and not isinstance(a, Const) for a in op.args):
        return _ALL & ~_STACK
    return _ALL & ~_STACK | _HANDED


def gvn(fn: Function) -> bool:
    return _Gvn(fn).run()


class _Gvn:
    def __init__(self, fn: Function) -> None:
        self.fn, self.cfg = fn, Cfg(fn)
        self.mapping: dict[Value, Value] = {}
        self.table: dict[Key, Value] = {}
        self.between: dict[Block, int] = {}
        self.kills: dict[Block, int] = {}
        self.private = _private(fn)
        self._spilled: set[Op] | None = None

    def run(self) -> bool:
        for block in self.cfg.order:
            mask = 0
            for op in block.ops:
                mask |= writes(op)
            self.kills[block] = mask
        added: list[Key] = []
        stack: list[tuple[Block | None, int, Loads]] = [(self.fn.entry, 0, {})]
        while stack:
            at, mark, loads = stack.pop()
            if at is None:  # leave a subtree
                while len(added) > mark:
                    del self.table[added.pop()]
                continue
            stack.append((None, len(added), {}))
            loads = self.block(at, loads, added)
            for child in reversed(self.cfg.children[at]):
                killed = self.written_between(child)
                stack.append((child, 0, {k: l for k, l in loads.items() if not l.region & killed}))
        if self.mapping:
            self.fn.replace(self.mapping)
        return bool(self.mapping)

    def written_between(self, block: Block) -> int:
        """The regions that may be written between the end of the immediate dominator and the start of `block`."""
        done = self.between.get(block)
        if done is not None:
            return done
        preds = self.cfg.preds[block]
        top = self.cfg.idom[block]
        if all(p is top for p in preds):
            self.between[block] = 0
            return 0
        self.between[block] = _ALL  # while at it: an irreducible cycle
        mask = 0
        passed: set[Block] = set()
        for p in preds:
            at = p
            while at is not top and at is not block and at not in passed and mask != _ALL:
                passed.add(at)
                mask |= self.kills[at] | self.written_between(at)
                at = self.cfg.idom[at]
            if at is block:
                mask |= self.kills[block]
        self.between[block] = mask
        return mask

    def block(self, block: Block, loads: Loads, added: list[Key]) -> Loads:
        """What memory is known to hold at the end of `block`, from `loads` (which is changed) at its start."""
        out: list[Op] = []
        mapping = self.mapping
        for op in block.ops:
            if mapping:
                op.args = [mapping.get(a, a) for a in op.args]
            effect = op.row.effect
            found: Value | None = None
            if (effect == "pure" and op.row is not R.alloca) or (isinstance(op.attr, (Helper, Kfunc)) and op.attr.pure):
                key = self.key(op)
                found = self.table.get(key)
                if found is None:
                    self.table[key] = op
                    added.append(key)
                elif isinstance(op.attr, Data):
                    found = _nearby(found, op, out)
            elif effect == "read":
                found = self.known(op, loads, out)
                if found is None:
                    self.remember(op, op, loads)
            elif effect == "write":
                self.write(op, loads)
            elif effect == "call" and (mask := writes(op)):
                for gone in [k for k, l in loads.items() if l.region & mask and not self.survives(l, op)]:
                    del loads[gone]
            if found is None:
                out.append(op)
            else:
                mapping[op] = found
        block.ops = out
        return loads

    def key(self, op: Op) -> Key:
        if isinstance(op.attr, Data):
            return (op.row, op.type, op.attr.section)
        args = [(a.value,) if isinstance(a, Const) else a for a in op.args]
        if op.row.commutative and not isinstance(args[1], tuple) and id(args[0]) > id(args[1]):
            args.reverse()
        return (op.row, op.type, op.attr, *args)

    def survives(self, load: Load, call: Op) -> bool:
        """A slot that no call was given, or a helper not this time."""
        base = load.place[0]
        if not (isinstance(base, Op) and base.row is R.alloca and isinstance(call.attr, (Helper, Kfunc))):
            return False
        return base not in self.spilled() and not any(root(a) is base for a in call.args)

    def spilled(self) -> set[Op]:
        """Slots whose address is kept somewhere: in memory, in a number, behind a block parameter."""
        if self._spilled is None:
            self._spilled = escaping(self.fn, calls=False)
        return self._spilled

    def known(self, op: Op, loads: Loads, out: list[Op]) -> Value | None:
        """What a load gives, if memory is known to hold it."""
        attr = op.attr
        assert isinstance(attr, Mem)
        if attr.volatile or attr.core:
            return None
        key = (*place(op), attr.size)
        load = loads.pop(key, None)
        if load is None:
            return None
        loads[key] = load
        return _as_loaded(load.value, op, attr, out)

    def remember(self, op: Op, value: Value, loads: Loads) -> None:
        attr = op.attr
        assert isinstance(attr, Mem)
        if attr.volatile or attr.core:
            return
        at, mask = place(op), region(op)
        if mask == _STACK and at[0] not in self.private:
            mask |= _HANDED
        elif mask == _ALL:
            mask |= _HANDED
        key = (*at, attr.size)
        loads.pop(key, None)
        loads[key] = Load(at, attr.size, mask, value)
        if len(loads) > WINDOW:
            del loads[next(iter(loads))]

    def write(self, op: Op, loads: Loads) -> None:
        attr = op.attr
        assert isinstance(attr, (Mem, Rmw))
        mask, at = region(op), place(op)
        for gone in [k for k, l in loads.items() if overlap(l.place, l.size, l.region, at, attr.size, mask)]:
            del loads[gone]
        if isinstance(attr, Mem):
            self.remember(op, op.args[1], loads)


def _nearby(base: Value, op: Op, out: list[Op]) -> Value:
    """A global's address from that of another one in the same section: saves loading a 64-bit immediate."""
    assert isinstance(base, Op) and isinstance(base.attr, Data) and isinstance(op.attr, Data)
    if base.attr.off == op.attr.off:
        return base
    new = Op(R.ptradd, [base, Const(op.attr.off - base.attr.off)], op.type, span=op.span, name=op.name)
    out.append(new)
    return new


def _as_loaded(value: Value, op: Op, attr: Mem, out: list[Op]) -> Value | None:
    """`value`, which memory holds, as the load `op` gives it; ops for that go to `out`."""
    if op.type.is_ptr or value.type.is_ptr:
        return value if value.type is op.type else None
    if isinstance(value, Op) and value.attr == attr and value.row is R.load:
        return value
    bits = 8 * attr.size
    if attr.size == 8:
        return value
    if isinstance(value, Const):
        n = value.value & ((1 << bits) - 1)
        return Const(n - (1 << bits) if attr.sext and n >> (bits - 1) else n)
    new = Op(getattr(R, f"sext{bits}"), [value], I64) if attr.sext else Op(R.and_, [value, Const((1 << bits) - 1)], I64)
    new.span, new.name = op.span, op.name
    out.append(new)
    return new


_STEPS = frozenset((R.ptradd, R.nonnull))  # the same object, another address or type


def root(v: Value) -> Value:
    while isinstance(v, Op) and v.row in _STEPS:
        v = v.args[0]
    return v


def _private(fn: Function) -> set[object]:
    """Slots whose address is only used to load, store and do arithmetic: no call can reach them."""
    slots = {op for op in fn.entry.ops if op.row is R.alloca}
    if slots:
        slots -= escaping(fn, calls=True)
    return set(slots)


def escaping(fn: Function, *, calls: bool) -> set[Op]:
    """Slots whose address is used otherwise than for access, pointer steps and comparisons (and `calls` or not)."""
    out: set[Op] = set()
    for op in fn.ops():
        harmless = op.row in (R.load, R.rmw, R.ptradd, R.nonnull, R.ptrdiff, R.eq, R.ne) or (not calls and op.row.effect == "call")
        if not harmless:
            args = op.args[1:] if op.row is R.store else [*op.args, *(a for e in op.edges for a in e.args)]
            out.update(r for a in args if isinstance(r := root(a), Op) and r.row is R.alloca)
        elif op.row is R.rmw:
            out.update(r for a in op.args[1:] if isinstance(r := root(a), Op) and r.row is R.alloca)
    return out
