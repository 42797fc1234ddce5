"""The frame below R10: which slots are in use at the same time, and where each one lies.

    r10 ->  ├────────┤ 0
            │ key    │ -8      a slot shared by values whose lifetimes do not meet
            │ spill  │ -16
            ╎        ╎ ... -512, the kernel's limit

A slot is alive between the first and the last instruction, on any path, that may touch it: directly, or through a pointer
that was made from its address (`mark` finds those before allocation, while every value has a register of its own). A slot
whose address is stored somewhere is alive everywhere.
"""

from __future__ import annotations

from ..errors import CompileError, Diagnostic, Span
from ..isa.opcodes import STX
from .mach import CALL_OP, DST_DEF, FIRST_VIRTUAL, FRAME, LIMIT, SRC_USE, FrameSlot, MBlock, MFunc, MInsn, bits


def mark(mf: MFunc) -> None:
    """Set `touch` of every load, store and call that reaches a slot through a pointer, and `pinned` of escaped slots."""
    if not mf.slots:
        return
    reach = _pointers(mf)
    for block in mf.blocks:
        arguments: dict[int, int] = {}  # machine register -> slots, on the way to a call
        for insn in block.insns:
            if insn.code == CALL_OP:
                for slots in arguments.values():
                    insn.touch |= slots
                arguments.clear()
            elif insn.shape & DST_DEF and insn.dst < FIRST_VIRTUAL:
                arguments[insn.dst] = 1 << insn.slot if insn.code == FRAME else reach.get(insn.src, 0)
            elif insn.code != FRAME:
                insn.touch |= _touched(mf, insn, reach)


def _touched(mf: MFunc, insn: MInsn, reach: dict[int, int]) -> int:
    cls = insn.code & 7
    if not 1 <= cls <= 3:  # LDX, ST, STX
        return 0
    if cls == STX:
        for slot in bits(reach.get(insn.src, 0)):
            mf.slots[slot].pinned = True
    if insn.slot >= 0:
        return 1 << insn.slot
    return reach.get(insn.src if insn.shape & SRC_USE and cls == 1 else insn.dst, 0)


def _pointers(mf: MFunc) -> dict[int, int]:
    """Virtual register -> the slots it may point into: through copies and arithmetic, whatever the order."""
    reach: dict[int, int] = {}
    flows: dict[int, list[int]] = {}
    for block in mf.blocks:
        for insn in block.insns:
            if insn.dst < FIRST_VIRTUAL or not insn.shape & DST_DEF:
                continue
            if insn.code == FRAME:
                reach[insn.dst] = reach.get(insn.dst, 0) | 1 << insn.slot
            elif insn.shape & SRC_USE and insn.code & 7 in (4, 7):  # ALU, ALU64
                if insn.src == 10:  # R10 + index: the loads and stores say which slot
                    continue
                flows.setdefault(insn.src, []).append(insn.dst)
    work = list(reach)
    while work:
        src = work.pop()
        for dst in flows.get(src, ()):
            new = reach.get(dst, 0) | reach[src]
            if new != reach.get(dst, 0):
                reach[dst] = new
                work.append(dst)
    return reach


def drop_dead_spills(mf: MFunc) -> None:
    """Remove stores of spilled values that nothing loads any more."""
    if not any(slot.spill for slot in mf.slots):
        return
    needed = _needed(mf)
    for block in mf.blocks:
        need = needed[block.index]
        kept = []
        for insn in reversed(block.insns):
            if insn.slot < 0 or insn.code & 7 != STX or not mf.slots[insn.slot].spill or need >> insn.slot & 1:
                need = _before(mf, insn, need)
                kept.append(insn)
        kept.reverse()
        block.insns = kept


def frame(mf: MFunc, span: Span | None) -> list[int]:
    """The offset from R10 of every slot, after allocation. CompileError "stack-too-large" if 512 bytes do not do."""
    if not mf.slots:
        return []
    clash = _clashes(mf)
    order = sorted(range(len(mf.slots)), key=lambda i: (-mf.slots[i].align, -mf.slots[i].size, i))
    ends = [0] * len(mf.slots)
    for i in order:
        slot = mf.slots[i]
        taken = sorted((ends[j] - mf.slots[j].size, ends[j]) for j in bits(clash[i]) if ends[j])
        ends[i] = _first_fit(slot, taken)
    if max(ends) > LIMIT:
        raise _too_large(mf, max(ends), span)
    return [-end for end in ends]


def _first_fit(slot: FrameSlot, taken: list[tuple[int, int]]) -> int:
    """The end (distance below R10) of the first gap that holds the slot."""
    end = _align(slot.size, slot.align)
    for low, high in taken:
        if end - slot.size < high and low < end:
            end = _align(high + slot.size, slot.align)
    return end


def _align(value: int, to: int) -> int:
    return value + -value % to


def _clashes(mf: MFunc) -> list[int]:
    """For each slot, the slots alive at the same time as it (bit sets)."""
    blocks = mf.blocks
    pinned = sum(1 << i for i, s in enumerate(mf.slots) if s.pinned)
    begun = _begun(mf, pinned)
    needed = _needed(mf)
    clash = [0] * len(mf.slots)
    for block in blocks:
        need, after = needed[block.index] | pinned, []
        for insn in reversed(block.insns):
            after.append(need | _access(insn))
            need = _before(mf, insn, need) | pinned
        seen = begun[block.index]
        last = 0
        for insn, wanted in zip(block.insns, reversed(after)):
            seen |= _access(insn)
            alive = seen & wanted
            if alive != last:
                last = alive
                for i in bits(alive):
                    clash[i] |= alive
    return [mask & ~(1 << i) for i, mask in enumerate(clash)]


def _access(insn: MInsn) -> int:
    return insn.touch | (1 << insn.slot if insn.slot >= 0 and insn.code != FRAME else 0)


def _before(mf: MFunc, insn: MInsn, need: int) -> int:
    if insn.slot >= 0 and insn.code & 7 == STX and mf.slots[insn.slot].spill:
        return need & ~(1 << insn.slot)  # written whole: what was there is not needed
    return need | _access(insn)


def _begun(mf: MFunc, pinned: int) -> list[int]:
    """Per block, the slots that may have been touched when it starts."""
    made = [0] * len(mf.blocks)
    for block in mf.blocks:
        for insn in block.insns:
            made[block.index] |= _access(insn)
    start = [pinned] * len(mf.blocks)
    ways = [(block.index, [target.index for target in block.targets]) for block in mf.blocks]
    changed = True
    while changed:
        changed = False
        for at, targets in ways:  # in their order: only loops take another sweep
            out = start[at] | made[at]
            for target in targets:
                if out & ~start[target]:
                    start[target] |= out
                    changed = True
    return start


def _needed(mf: MFunc) -> list[int]:
    """Per block, the slots that may still be touched when it ends."""
    ins, outs = [0] * len(mf.blocks), [0] * len(mf.blocks)
    changed = True
    while changed:
        changed = False
        for block in reversed(mf.blocks):
            need = 0
            for target in block.targets:
                need |= ins[target.index]
            outs[block.index] = need
            need = _through(mf, block, need)
            if need != ins[block.index]:
                ins[block.index] = need
                changed = True
    return outs


def _through(mf: MFunc, block: MBlock, need: int) -> int:
    for insn in reversed(block.insns):
        need = _before(mf, insn, need)
    return need


def _too_large(mf: MFunc, size: int, span: Span | None) -> CompileError:
    named = sorted((s for s in mf.slots if s.span is not None and not s.spill), key=lambda s: -s.size)
    spills = sum(s.size for s in mf.slots if s.spill)
    where = named[0].span if named else span
    notes = tuple((s.span, f"{s.what or 'a local'} takes {s.size} bytes") for s in named[1:4] if s.span is not None)
    label = f"{named[0].what or 'this'} takes {named[0].size} bytes" if named else ""
    message = f"{mf.name} needs {size} bytes of stack, the kernel gives {LIMIT}"
    if spills:
        message += f" ({spills} bytes are for values that found no register)"
    return CompileError([Diagnostic("stack-too-large", message, where or Span("<unknown>", 1), label,
                                    "keep large data in a map (a per-CPU array of one entry is usual)", notes)])
