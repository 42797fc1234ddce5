"""Pool values (constants, addresses of maps, data, functions and frame slots): computed once, or anew at each use.

Selection leaves their uses without a definition. Here each gets one: either one that dominates all uses, outside of the
loops they are in, where that saves instructions; or one right before each use. The allocator may still turn the first
kind into the second when registers run short (`localise`).
"""

from __future__ import annotations

from ..isa.opcodes import LD_IMM64
from ..ir.graph import common
from .flow import LOOP_WEIGHT, MAX_DEPTH, Flow
from .mach import DST_DEF, DST_USE, FRAME, SRC_USE, MBlock, MFunc, MInsn

_Uses = dict[int, list[MInsn]]  # block number -> instructions, in order


def weight(template: MInsn) -> int:
    """Slots that computing the value takes."""
    return 2 if template.code in (LD_IMM64, FRAME) else 1


def place(mf: MFunc, flow: Flow) -> None:
    """Define every pool value; those that stay in `mf.pool` have one definition for all uses."""
    if not mf.pool:
        return
    uses: dict[int, _Uses] = {reg: {} for reg in mf.pool}
    for block in mf.blocks:
        for insn in block.insns:
            for reg in _pool_operands(mf, insn):
                uses[reg].setdefault(block.index, []).append(insn)
    outside = _outside(mf, flow)
    alone = set()
    made: dict[int, list[tuple[int, MInsn | None]]] = {}  # block number -> registers defined there, before which instruction
    for reg, by_block in uses.items():
        where = outside[common(flow.idom, list(by_block))] if by_block else 0
        if gain(mf, reg, by_block, mf.blocks[where]) > 0:
            made.setdefault(where, []).append((reg, by_block[where][0] if where in by_block else None))
        else:
            alone.add(reg)
    for where, defined in made.items():
        _define(mf, mf.blocks[where], defined)
    localise(mf, alone)


def _pool_operands(mf: MFunc, insn: MInsn) -> set[int]:
    out = set()
    if insn.shape & DST_USE and insn.dst in mf.pool:
        out.add(insn.dst)
    if insn.shape & SRC_USE and insn.src in mf.pool:
        out.add(insn.src)
    return out


def price(block: MBlock) -> float:
    """What a slot in `block` costs: size counts everywhere alike, time only in loops."""
    return LOOP_WEIGHT ** min(block.depth, MAX_DEPTH)


def gain(mf: MFunc, reg: int, by_block: _Uses, home: MBlock) -> float:
    """What one definition in `home` saves against one at each use. A copy of the value costs an instruction, too."""
    cost, copies_only = weight(mf.pool[reg]), True
    total = -cost * price(home)
    for index, insns in by_block.items():
        copies = sum(insn.is_copy for insn in insns)
        copies_only &= copies == len(insns)
        total += price(mf.blocks[index]) * (len(insns) * cost - copies)
    if copies_only and mf.pool[reg].code == LD_IMM64:
        total -= price(home)  # it runs as one instruction, no more than the copies that would replace it
    return total


def _outside(mf: MFunc, flow: Flow) -> list[int]:
    """For each block the nearest one that is in the fewest loops, of those that dominate it and itself."""
    out: list[int] = []
    for i, above in enumerate(flow.idom):
        best = out[above] if i else 0
        out.append(best if mf.blocks[best].depth < mf.blocks[i].depth else i)
    return out


def _define(mf: MFunc, block: MBlock, defined: list[tuple[int, MInsn | None]]) -> None:
    """Compute registers before the block's first use of each, else at its end, before the jump."""
    before: dict[MInsn, list[int]] = {}
    for reg, user in defined:
        before.setdefault(user or block.insns[-1], []).append(reg)
    out: list[MInsn] = []
    for insn in block.insns:
        for reg in before.get(insn, ()):
            twin = mf.pool[reg].copy()
            twin.span = insn.span
            out.append(twin)
        out.append(insn)
    block.insns = out


def localise(mf: MFunc, regs: set[int]) -> None:
    """Compute each of `regs` anew, into a register of its own, before every instruction that reads it."""
    if not regs:
        return
    for block in mf.blocks:
        out: list[MInsn] = []
        for insn in block.insns:
            if insn.shape & (DST_DEF | DST_USE) == DST_DEF and insn.dst in regs:
                continue  # the common definition
            for reg in _pool_operands(mf, insn) & regs:
                fresh = mf.new_register()
                twin = mf.pool[reg].copy()
                twin.dst, twin.span = fresh, insn.span
                out.append(twin)
                if insn.shape & DST_USE and insn.dst == reg:
                    insn.dst = fresh
                if insn.shape & SRC_USE and insn.src == reg:
                    insn.src = fresh
            out.append(insn)
        block.insns = out
    for reg in regs:
        del mf.pool[reg]
