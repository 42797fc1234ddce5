"""Stores that nobody reads go; neighbouring stores of constants become one; a value put together only to be stored is
stored in parts.

    store.u64 %key, 0
    store.u32 %key, %a            ==>     store.u32 %key, %a
    store.u32 %key + 4, %b                store.u32 %key + 4, %b
    call @use(%key)                       call @use(%key)

A store is dead if, on every way onward, all its bytes are written again before anything may read them; the end of the
function reads no slot.
"""

from __future__ import annotations

from typing import Final

from ..ir.cfg import reverse_postorder
from ..ir.function import Block, Const, Function, Op, Value
from ..ir.ops import Helper, Kfunc, Mem, Rmw, Slot, signed
from ..ir.types import VOID
from ..order import Order
from .bits import Bits
from .gvn import base_region, escaping, object_base, place, region, root
from .rows import R

Dead = dict[object, int]  # base -> the bytes that are written before they are read, a bit for each offset from -_BEFORE on
_BEFORE: Final = 512
_MOST: Final = 1 << 16  # offsets of one base that are remembered
_BASES: Final = 256  # bases that are remembered: what is known is copied wherever ways meet


def stores(fn: Function) -> bool:
    changed = _drop_dead(fn)
    for block in fn.blocks:
        changed |= _widen(block, fn.order)
    return _split(fn) or changed


# --- dead stores ------------------------------------------------------------------------------------------------------


def _drop_dead(fn: Function) -> bool:
    if not any(op.row is R.store for op in fn.ops()):
        return False
    slots: Dead = {op: _bytes(0, op.attr.size) for op in fn.entry.ops if isinstance(op.attr, Slot)}
    shared = escaping(fn, calls=True) if slots else set()
    kept = escaping(fn, calls=False) if slots else set()
    if len(slots) > _BASES:
        slots = {}
    at_start: dict[Block, Dead] = {}
    changed = False
    for block in reversed(reverse_postorder(fn)):
        if block.edges:
            dead = _join([at_start.get(e.block, {}) for e in block.edges])
        else:
            dead = dict(slots)
        out: list[Op] = []
        for op in reversed(block.ops):
            if op.row is R.store and _is_dead(op, dead):
                changed = True
            else:
                _effect(op, dead, shared, kept)
                out.append(op)
        out.reverse()
        block.ops = out
        at_start[block] = dead
    return changed


def _join(ways: list[Dead]) -> Dead:
    """What is dead on all ways."""
    first, *rest = ways
    out = dict(first)
    for way in rest:
        get = way.get
        out = {base: both for base, offs in out.items() if (both := offs & get(base, 0))}
    return out


def _bytes(off: int, size: int) -> int:
    """Bytes as bits; none where they are too far away to be remembered."""
    return ((1 << size) - 1) << off + _BEFORE if -_BEFORE <= off < _MOST else 0


def _base(op: Op) -> tuple[object, int]:
    base, off = place(op)
    assert isinstance(op.attr, (Mem, Rmw))
    return base, _bytes(off, op.attr.size)


def _is_dead(op: Op, dead: Dead) -> bool:
    assert isinstance(op.attr, Mem)
    base, offs = _base(op)
    return not op.attr.volatile and not op.attr.core and bool(offs) and not offs & ~dead.get(base, 0)


def _effect(op: Op, dead: Dead, shared: set[Op], kept: set[Op]) -> None:
    """What is dead before `op`, from what is dead after it."""
    if op.row is R.store and isinstance(op.attr, Mem) and not op.attr.core:
        base, offs = _base(op)
        if base in dead or len(dead) < _BASES:
            dead[base] = dead.get(base, 0) | offs
    elif op.row is R.load or op.row is R.rmw:
        base, offs = _base(op)
        mask = region(op)
        for other in list(dead):
            if other is base or other == base:
                if not offs:
                    del dead[other]
                else:
                    dead[other] &= ~offs
            elif not (object_base(base) and object_base(other)) and base_region(other) & mask:
                del dead[other]
    elif op.row.effect == "call" and not (isinstance(op.attr, (Helper, Kfunc)) and op.attr.pure):
        passed = {root(a) for a in op.args}
        for other in list(dead):
            safe = isinstance(other, Op) and other.row is R.alloca and (
                other not in shared or (isinstance(op.attr, (Helper, Kfunc)) and other not in kept and other not in passed))
            if not safe:
                del dead[other]


# --- wider stores -----------------------------------------------------------------------------------------------------


def _widen(block: Block, order: Order) -> bool:
    """Two neighbouring constants in one store of twice the size, where alignment and the immediate allow it: the second
    stores both. Between them stand only stores through the same pointer (others may alias) and pure ops."""
    seen: dict[tuple[int, int], Op] = {}  # offset, size -> the store of a constant there that may still move down
    base: object = None
    gone: set[Op] = set()
    for op in block.ops:
        if op.row is not R.store or not isinstance(op.attr, Mem) or op.attr.volatile or op.attr.core:
            if not op.row.pure:
                seen.clear()
            continue
        at, off = place(op)
        if at is not base:
            seen.clear()
            base = at
        if not isinstance(op.args[1], Const) or at is not op.args[0]:
            _forget(seen, off, op.attr.size)
            continue
        while (size := op.attr.size) < 8 and _aligned(at, off & ~size, 2 * size):
            other = seen.get((off ^ size, size))
            if other is None or not _merge(other, op, order):
                break
            gone.add(other)
            del seen[off ^ size, size]
            off &= ~size
        _forget(seen, off, op.attr.size)
        seen[off, op.attr.size] = op
    if gone:
        block.ops = [op for op in block.ops if op not in gone]
    return bool(gone)


def _forget(seen: dict[tuple[int, int], Op], off: int, size: int) -> None:
    """What [off, off + size) overlaps."""
    for width in (1, 2, 4, 8):
        for start in range(off - width + 1, off + size):
            seen.pop((start, width), None)


def _aligned(base: object, off: int, size: int) -> bool:
    """Whether `base + off` is a multiple of `size`: slots by their alignment, map values and records by eight."""
    if off % size or not isinstance(base, Op):
        return False
    if isinstance(base.attr, Slot):
        return base.attr.align >= size
    return isinstance(base.attr, Helper) and base.type.row.grain >= size


def _merge(first: Op, second: Op, order: Order) -> bool:
    """Make `second` store what both store."""
    a, b = first.args[1], second.args[1]
    assert isinstance(a, Const) and isinstance(b, Const)
    assert isinstance(first.attr, Mem) and isinstance(second.attr, Mem)
    size = second.attr.size
    parts = (a, b) if first.attr.off < second.attr.off else (b, a)
    value = signed(order.number(b"".join(order.bytes(one.value, size) for one in parts)), 16 * size)
    if not -(1 << 31) <= value < 1 << 31:
        return False
    second.args[1] = Const(value)
    second.attr = second.attr._replace(size=2 * size, off=min(first.attr.off, second.attr.off))
    return True


# --- stores in parts --------------------------------------------------------------------------------------------------


def _split(fn: Function) -> bool:
    """`x | y << 32`, where x has 32 bits, is two stores: no shift, no or, no mask."""
    uses: dict[Value, int] | None = None
    bits = Bits()
    changed = False
    for block in fn.blocks:
        i = 0
        while i < len(block.ops):
            op = block.ops[i]
            i += 1
            if op.row is not R.store or not isinstance(op.attr, Mem) or op.attr.size == 1 or op.attr.core or op.attr.volatile:
                continue
            half = op.attr.size // 2
            match op.args[1]:
                case Op(R.or_, [x, Op(R.shl, [y, Const(k)]) as high]) | Op(R.or_, [Op(R.shl, [y, Const(k)]) as high, x]) if (
                        k == 8 * half and bits.may(x) < 1 << k and op.args[0].type.region != "ctx"):
                    if uses is None:
                        uses = _count(fn)
                    if uses[op.args[1]] == 1 and uses[high] == 1:
                        first, second = (op.attr._replace(size=half, off=op.attr.off + at) for at in (0, half))
                        lower, higher = (first, second) if fn.order.shift(0, half, 2 * half) == 0 else (second, first)
                        upper = Op(R.store, [op.args[0], y], VOID, higher, span=op.span)
                        op.args, op.attr = [op.args[0], x], lower
                        block.ops.insert(i, upper)
                        i -= 1  # the lower half may be made of parts itself
                        changed = True
    return changed


def _count(fn: Function) -> dict[Value, int]:
    return {v: len(ops) for v, ops in fn.uses().items()}
