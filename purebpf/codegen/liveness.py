"""Which registers are needed at the end of each block, as bit sets (bit n: register n)."""

from __future__ import annotations

from ..isa.opcodes import LDX
from .mach import DST_DEF, FIRST_VIRTUAL, MFunc

FP_MASK = ~(1 << 10)  # R10 is always there


def live_out(mf: MFunc) -> list[int]:
    """Per block of `mf.blocks` (numbered): the registers that some successor reads before it writes them."""
    blocks = mf.blocks
    gens, kills = [], []
    for block in blocks:
        gen = kill = 0
        for insn in reversed(block.insns):
            writes = insn.writes()
            gen = gen & ~writes | insn.reads()
            kill |= writes
        gens.append(gen & FP_MASK)
        kills.append(kill)
    ins, outs = gens[:], [0] * len(blocks)
    succs = [[t.index for t in b.targets] for b in blocks]
    changed = True
    while changed:
        changed = False
        for i in range(len(blocks) - 1, -1, -1):
            out = 0
            for t in succs[i]:
                out |= ins[t]
            outs[i] = out
            new = gens[i] | out & ~kills[i]
            if new != ins[i]:
                ins[i] = new
                changed = True
    return outs


def drop_dead(mf: MFunc) -> None:
    """Remove computations whose result nobody reads: copies for parameters that have no use. Loads stay: they may be
    volatile, and selection left out the others already."""
    outs = live_out(mf)
    for block in mf.blocks:
        live = outs[block.index]
        kept = []
        for insn in reversed(block.insns):
            pure = insn.shape & DST_DEF and insn.code & 7 != LDX and insn.dst >= FIRST_VIRTUAL
            if pure and not live >> insn.dst & 1:
                continue
            live = live & ~insn.writes() | insn.reads()
            kept.append(insn)
        kept.reverse()
        block.insns = kept
