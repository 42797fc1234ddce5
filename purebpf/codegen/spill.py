"""Spill code: a register's value lives in a frame slot, or is computed anew, and visits a register when it is needed.

A value is stored after each definition and loaded before a use; inside a block the register of the last load or definition is
used again until a call comes between. Slots are 8 bytes, aligned, written and read whole: so the verifier keeps what it
knows about the value, pointers included.
"""

from __future__ import annotations

from ..errors import Span
from ..isa.insn import FP
from ..isa.opcodes import DW, LDX, MEM, STX
from .mach import DST_DEF, DST_USE, NOWHERE, SRC_DEF, SRC_USE, FrameSlot, MBlock, MFunc, MInsn
from .remat import localise

_RELOAD = LDX | MEM | DW
_SPILL = STX | MEM | DW


def spill(mf: MFunc, temps: set[int], groups: list[list[int]]) -> None:
    """Spill each group of coalesced registers; they never hold different values at once, so they share a slot. `temps`
    are the short registers that earlier spills made; it grows by the new ones."""
    pooled = {reg for group in groups for reg in group if reg in mf.pool}
    localise(mf, pooled)
    writer = _Writer(mf, temps)
    for members in groups:
        group = set(members) - pooled
        if group:
            slot = len(mf.slots)
            mf.slots.append(FrameSlot(8, 8, "a spilled value", None, spill=True))
            writer.homes.update((reg, slot) for reg in group)
            if group & temps:
                writer.brief.add(slot)
    if writer.homes:
        for block in mf.blocks:
            block.insns = writer.block(block)


class _Writer:
    """Rewrites the instructions that touch spilled registers. `homes`: register -> its slot; `brief`: slots of what was
    spilled before, now to be loaded at every use; `now`: slot -> the register that holds its content at this point."""

    __slots__ = ("mf", "temps", "homes", "brief", "now", "out")

    def __init__(self, mf: MFunc, temps: set[int]) -> None:
        self.mf, self.temps = mf, temps
        self.homes: dict[int, int] = {}
        self.brief: set[int] = set()
        self.now: dict[int, int] = {}
        self.out: list[MInsn] = []

    def block(self, block: MBlock) -> list[MInsn]:
        self.now, self.out = {}, []
        homes = self.homes
        for insn in block.insns:
            if insn.dst in homes or insn.src in homes:
                self._insn(insn)
            else:
                self.out.append(insn)
                if insn.is_call:
                    self.now.clear()
        return self.out

    def _insn(self, insn: MInsn) -> None:
        shape = insn.shape
        to = self.homes.get(insn.dst, -1) if shape & (DST_USE | DST_DEF) else -1
        of = self.homes.get(insn.src, -1) if shape & (SRC_USE | SRC_DEF) else -1
        if to == of >= 0 and insn.is_copy:
            insn.dst = insn.src = NOWHERE
            insn.shape = 0
            self.out.append(insn)
            return
        if of >= 0:
            insn.src = self._loaded(of, insn.span)
        if to >= 0 and shape & DST_USE:
            insn.dst = self._loaded(to, insn.span)
        elif to >= 0:
            insn.dst = self.now[to] = self._temp()
        self.out.append(insn)
        if to >= 0 and shape & DST_DEF:
            self.out.append(MInsn(_SPILL, FP, insn.dst, slot=to, span=insn.span))
        if of >= 0 and shape & SRC_DEF:
            self.out.append(MInsn(_SPILL, FP, insn.src, slot=of, span=insn.span))
        for slot in (to, of):
            if slot in self.brief:
                self.now.pop(slot, None)

    def _loaded(self, slot: int, span: Span | None) -> int:
        reg = self.now.get(slot)
        if reg is None:
            reg = self.now[slot] = self._temp()
            self.out.append(MInsn(_RELOAD, reg, FP, slot=slot, span=span))
        return reg

    def _temp(self) -> int:
        reg = self.mf.new_register()
        self.temps.add(reg)
        return reg
