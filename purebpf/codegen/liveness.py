"""Which registers are needed at the end of each block."""

from __future__ import annotations

from collections.abc import Container

from ..isa.insn import FP
from ..isa.opcodes import LDX
from .mach import DST_DEF, DST_USE, FIRST_VIRTUAL, SRC_DEF, SRC_USE, MBlock, MFunc, MInsn, bits


def step_back(insn: MInsn, live: set[int]) -> None:
    """Bring what is alive behind `insn` to before it."""
    shape = insn.shape
    if shape & DST_DEF:
        live.discard(insn.dst)
    if shape & SRC_DEF:
        live.discard(insn.src)
    if insn.clobbers:
        live.difference_update(bits(insn.clobbers))
    if shape & DST_USE:
        live.add(insn.dst)
    if shape & SRC_USE:
        live.add(insn.src)
    if insn.uses:
        live.update(bits(insn.uses))


def live_out(mf: MFunc, but: Container[int] = ()) -> list[set[int]]:
    """Per block of `mf.blocks` (numbered): the registers that some successor reads before it writes them; R10, which is
    always there, is none of them, nor is one of `but`. The work is that of writing the answer: each register is followed from
    where it is read to where it is written."""
    outs: list[set[int]] = [set() for _ in mf.blocks]
    preds: list[list[int]] = [[] for _ in mf.blocks]
    for block in mf.blocks:
        for target in block.targets:
            preds[target.index].append(block.index)
    known = [_within(block) for block in mf.blocks]
    for i, (reads, _) in enumerate(known):
        for reg in reads:
            if reg not in but:
                _follow(reg, i, preds, outs, known)
    return outs


def _within(block: MBlock) -> tuple[set[int], set[int]]:
    """The registers that a block reads before it writes them, and those that it writes."""
    reads: set[int] = set()
    writes: set[int] = set()
    for insn in reversed(block.insns):
        step_back(insn, reads)
        if insn.shape & DST_DEF:
            writes.add(insn.dst)
        if insn.shape & SRC_DEF:
            writes.add(insn.src)
        if insn.clobbers:
            writes.update(bits(insn.clobbers))
    reads.discard(FP)
    return reads, writes


def _follow(reg: int, reader: int, preds: list[list[int]], outs: list[set[int]], known: list[tuple[set[int], set[int]]]) -> None:
    """The register is alive at the end of all blocks from which the reader is reached before it is written."""
    work = [reader]
    while work:
        for p in preds[work.pop()]:
            if reg not in outs[p]:
                outs[p].add(reg)
                if reg not in known[p][0] and reg not in known[p][1]:
                    work.append(p)


def drop_dead(mf: MFunc) -> None:
    """Remove computations whose result nobody reads: copies for parameters that have no use. Loads stay: they may be
    volatile, and selection left out the others already."""
    outs = live_out(mf, mf.pool)  # which have no definition yet
    for block in mf.blocks:
        live = outs[block.index]
        kept = []
        for insn in reversed(block.insns):
            pure = insn.shape & DST_DEF and insn.code & 7 != LDX and insn.dst >= FIRST_VIRTUAL
            if pure and insn.dst not in live:
                continue
            step_back(insn, live)
            kept.append(insn)
        kept.reverse()
        block.insns = kept
