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
    for members in groups:
        group = set(members) - pooled
        if group:
            slot = len(mf.slots)
            mf.slots.append(FrameSlot(8, 8, "a spilled value", None, spill=True))
            writer = _Writer(mf, temps, group, slot)
            for block in mf.blocks:
                writer.block(block)


class _Writer:
    """Rewrites the instructions that touch one group. `now`: the register that holds the value at this point, or -1."""

    __slots__ = ("mf", "temps", "group", "slot", "brief", "now", "out")

    def __init__(self, mf: MFunc, temps: set[int], group: set[int], slot: int) -> None:
        self.mf, self.temps, self.group, self.slot = mf, temps, group, slot
        self.brief = bool(group & temps)  # spilled before: now load at every use
        self.now = -1
        self.out: list[MInsn] = []

    def block(self, block: MBlock) -> None:
        self.now, self.out = -1, []
        for insn in block.insns:
            self._insn(insn)
        block.insns = self.out

    def _insn(self, insn: MInsn) -> None:
        group, shape = self.group, insn.shape
        at_dst = insn.dst in group and shape & (DST_USE | DST_DEF)
        at_src = insn.src in group and shape & (SRC_USE | SRC_DEF)
        if at_dst and at_src and insn.is_copy:
            insn.dst = insn.src = NOWHERE
            insn.shape = 0
            self.out.append(insn)
            return
        if at_src or at_dst & DST_USE:
            reg = self._loaded(insn.span)
        elif at_dst:
            reg = self.now = self._temp()
        else:
            self.out.append(insn)
            if insn.is_call:
                self.now = -1
            return
        if at_dst and not at_dst & DST_USE and at_src:
            insn.src, reg = reg, self._temp()
            insn.dst = self.now = reg
        else:
            insn.dst = reg if at_dst else insn.dst
            insn.src = reg if at_src else insn.src
        self.out.append(insn)
        if at_dst & DST_DEF or at_src & SRC_DEF:
            self.out.append(MInsn(_SPILL, FP, reg, slot=self.slot, span=insn.span))
        if self.brief:
            self.now = -1

    def _loaded(self, span: Span | None) -> int:
        if self.now < 0:
            self.now = self._temp()
            self.out.append(MInsn(_RELOAD, self.now, FP, slot=self.slot, span=span))
        return self.now

    def _temp(self) -> int:
        reg = self.mf.new_register()
        self.temps.add(reg)
        return reg
