"""Stack slots whose address stays within the function become values.

    %t = alloca 8 align 4 : ptr.stack
    store.u32 %t, %a                      %0 = and %a, 0xffffffff
    store.u32 %t + 4, %b           ==>    %1 = shr %0, 8
    %0 = load.u32 %t                      %2 = and %1, 255
    %1 = load.u8 %t + 1

The bytes of a slot are divided into variables of at most eight bytes so that no store (other than of a constant) spans
two. A store of a part of a variable inserts bits, a load takes bits out, of several variables if it must.
A slot that is never read is dropped with its stores. Uninitialised memory reads as 0.
"""

from __future__ import annotations

from typing import NamedTuple

from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import TABLE, Mem, Slot, signed
from ..ir.types import I64, Type
from .cfgclean import drop_trivial_params
from .dce import drop_unreachable
from .rows import R
from .ssa import Variables


class Var(NamedTuple):
    """Bytes [off, off + size) of slot number `slot`."""

    slot: int
    off: int
    size: int


class _Slot:
    """A slot and its accesses; `vars` once divided: for each byte its variable, None where nothing is."""

    def __init__(self, op: Op, index: int) -> None:
        assert isinstance(op.attr, Slot)
        self.op, self.index, self.size = op, index, op.attr.size
        self.loads: list[Op] = []
        self.stores: list[Op] = []
        self.vars: list[Var | None] = []
        self.types: dict[Var, Type] = {}


def promote(fn: Function) -> bool:
    """Turn slots into values where that can be done; whether it was."""
    slots = candidates(fn)
    if not slots:
        return False
    if drop_unreachable(fn):
        slots = candidates(fn)
    chosen: dict[Value, _Slot] = {op: slot for op, slot in slots.items() if _divide(slot)}
    if not chosen:
        return False
    variables = Variables(fn)
    rewriter = _Promoter(chosen, variables)
    for block in fn.blocks:
        rewriter.local(block)
    for block in fn.blocks:
        rewriter.block(block)
    variables.finish()
    fn.replace(rewriter.mapping)
    drop_trivial_params(fn)
    return True


def candidates(fn: Function) -> dict[Value, _Slot]:
    """The slots that are only loaded and stored, at constant offsets inside."""
    slots: dict[Value, _Slot] = {}
    for op in fn.entry.ops:
        if op.row is R.alloca:
            slots[op] = _Slot(op, len(slots))
    if not slots:
        return slots
    for op in fn.ops():
        for i, arg in enumerate(op.args):
            slot = slots.get(arg)
            if slot is None:
                continue
            attr = op.attr
            inside = isinstance(attr, Mem) and i == 0 and 0 <= attr.off <= slot.size - attr.size
            if not inside or not isinstance(attr, Mem) or attr.volatile or attr.core or op.row not in (R.load, R.store):
                del slots[arg]
            else:
                (slot.loads if op.row is R.load else slot.stores).append(op)
        for edge in op.edges:
            for arg in edge.args:
                slots.pop(arg, None)
    return slots


def _range(op: Op) -> tuple[int, int]:
    assert isinstance(op.attr, Mem)
    return op.attr.off, op.attr.off + op.attr.size


def _divide(slot: _Slot) -> bool:
    """Divide a slot into variables; False if a store of more than constants would span two, or parts of a pointer."""
    if not slot.loads:
        return True
    solid = sorted(_range(op) for op in slot.stores if not isinstance(op.args[1], Const))
    groups: list[list[int]] = []
    for start, end in solid:
        if groups and start < groups[-1][1]:
            groups[-1][1] = max(groups[-1][1], end)
        else:
            groups.append([start, end])
    if any(end - start > 8 for start, end in groups):
        return False
    cuts = {0, slot.size}
    for op in (*slot.loads, *slot.stores):
        cuts.update(_range(op))
    for start, end in groups:
        cuts = {c for c in cuts if not start < c < end} | {start, end}
    edges = sorted(cuts)
    slot.vars = [None] * slot.size
    for start, end in zip(edges, edges[1:]):
        for at in range(start, end, 8):  # longer ones are never accessed
            var = Var(slot.index, at, min(8, end - at))
            slot.vars[at:at + var.size] = [var] * var.size
    for op in slot.stores:
        if not isinstance(op.args[1], Const) and not _note_type(slot, op, op.args[1].type):
            return False
    return all(_note_type(slot, op, op.type) for op in slot.loads if op.type.is_ptr) and _pays(slot)


def _pays(slot: _Slot) -> bool:
    """Whether taking loads out of variables costs fewer ops than loading and storing: reading a slot's bytes one by one
    is what memory is good for."""
    varying = {slot.vars[_range(op)[0]] for op in slot.stores if not isinstance(op.args[1], Const)}
    cost = 0
    for op in slot.loads:
        start, end = _range(op)
        at = start
        while at < end:
            var = slot.vars[at]
            assert var is not None
            stop = min(end, var.off + var.size)
            if var in varying:
                cost += 2 * (at > start) + (at > var.off) + (stop < var.off + var.size)
            at = stop
    return cost <= len(slot.loads) + len(slot.stores)


def _note_type(slot: _Slot, op: Op, type: Type) -> bool:
    """Record what kind of value a variable holds; False for a pointer access that is not the whole variable."""
    start, end = _range(op)
    var = slot.vars[start]
    assert var is not None
    whole = (var.off, var.off + var.size) == (start, end)
    if type.is_ptr and not (whole and var.size == 8):
        return False
    if slot.types.setdefault(var, type) is not type:
        slot.types[var] = I64  # held as a number, cast where needed
    return True


class _Promoter:
    def __init__(self, slots: dict[Value, _Slot], variables: Variables) -> None:
        self.slots, self.variables, self.order = slots, variables, variables.fn.order
        self.mapping: dict[Value, Value] = {}
        self.out: list[Op] = []
        self.now: dict[Var, Value] = {}
        self.here: Block | None = None
        self.later: dict[tuple[Var, Block], _Later] = {}

    def type(self, slot: _Slot, var: Var) -> Type:
        return slot.types.get(var, I64)

    def local(self, block: Block) -> None:
        """A block that stores leaves a placeholder for what each variable holds at its end: `block` fills it in."""
        for op in block.ops:
            slot = self.slots.get(op.args[0]) if op.row is R.store else None
            if slot is not None and slot.loads:
                start, end = _range(op)
                for var in slot.vars[start:end]:
                    if var is not None and (var, block) not in self.later:
                        self.later[var, block] = later = _Later(self.type(slot, var))
                        self.variables.write(var, block, later)

    def block(self, block: Block) -> None:
        self.here, self.now, self.out = block, {}, []
        for op in block.ops:
            slot = self.slots.get(op.args[0]) if op.args and op.row in (R.load, R.store) else None
            if slot is not None:
                if op.row is R.load:
                    self.mapping[op] = self.load(slot, op)
                elif slot.loads:
                    self.store(slot, op)
            elif op not in self.slots:
                self.out.append(op)
        block.ops = self.out
        for var, value in self.now.items():
            later = self.later.get((var, block))
            if later is not None:
                self.mapping[later] = value

    def read(self, slot: _Slot, var: Var) -> Value:
        if var not in self.now:
            assert self.here is not None
            self.now[var] = self.variables.at_start(var, self.here, self.type(slot, var), slot.op.name)
        return self.now[var]

    def emit(self, name: str, like: Op, *args: Value | int, type: Type = I64) -> Value:
        values = [Const(a) if isinstance(a, int) else a for a in args]
        row = TABLE[name]
        if row.evaluate is not None and all(isinstance(v, Const) for v in values):
            return Const(row.evaluate(*(v.value for v in values if isinstance(v, Const))))
        op = Op(row, values, type, span=like.span)
        self.out.append(op)
        return op

    def cast(self, like: Op, value: Value, type: Type) -> Value:
        if value.type is type or isinstance(value, Const):
            return value
        return self.emit("cast", like, value, type=type)

    def load(self, slot: _Slot, op: Op) -> Value:
        start, end = _range(op)
        first = slot.vars[start]
        assert first is not None
        if op.type.is_ptr:
            return self.cast(op, self.read(slot, first), op.type)
        total: Value = Const(0)
        at = start
        while at < end:
            var = slot.vars[at]
            assert var is not None
            stop = min(end, var.off + var.size)
            part = self.cast(op, self.read(slot, var), I64)
            if down := self.order.shift(at - var.off, stop - at, var.size):
                part = self.emit("shr", op, part, down)
            if stop - at < 8:
                part = self.emit("and", op, part, (1 << 8 * (stop - at)) - 1)
            if up := self.order.shift(at - start, stop - at, end - start):
                part = self.emit("shl", op, part, up)
            total, at = self.emit("or", op, total, part) if at > start else part, stop
        assert isinstance(op.attr, Mem)
        return self.emit(f"sext{8 * op.attr.size}", op, total) if op.attr.sext else total

    def store(self, slot: _Slot, op: Op) -> None:
        start, end = _range(op)
        value = op.args[1]
        at = start
        while at < end:
            var = slot.vars[at]
            assert var is not None
            stop = min(end, var.off + var.size)
            part = value
            if isinstance(value, Const):
                down = self.order.shift(at - start, stop - at, end - start)
                part = Const(signed((value.value >> down) & ((1 << 8 * (stop - at)) - 1)))
            if (at, stop) == (var.off, var.off + var.size):
                self.now[var] = self.cast(op, part, self.type(slot, var))
            else:
                self.now[var] = self.cast(op, self.insert(slot, var, op, part, at, stop), self.type(slot, var))
            at = stop

    def insert(self, slot: _Slot, var: Var, op: Op, part: Value, at: int, stop: int) -> Value:
        """The variable with bytes [at, stop) from `part`."""
        shift, mask = self.order.shift(at - var.off, stop - at, var.size), (1 << 8 * (stop - at)) - 1
        old = self.cast(op, self.read(slot, var), I64)
        kept = self.emit("and", op, old, signed(~(mask << shift)))
        new = self.emit("and", op, part, mask)
        return self.emit("or", op, kept, self.emit("shl", op, new, shift) if shift else new)


class _Later(Value):
    """What a variable will hold at the end of a block that is yet to be rewritten."""

    __slots__ = ()
