"""The allocation checker: accepts what the allocator gives, and notices every way to spoil it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from purebpf.codegen import check, regalloc, stack
from purebpf.codegen.generate import prepare
from purebpf.codegen.isel import select
from purebpf.codegen.mach import DST_DEF, DST_USE, SRC_USE, MFunc, MInsn
from purebpf.errors import InternalError
from purebpf.isa.opcodes import DW, LDX, MEM, STX

from .pressure import make


def allocated(seed: int, size: int) -> tuple[MFunc, check.Before]:
    mf = select(make(seed, size).functions["f"], 3)
    prepare(mf)
    before = check.snapshot(mf)
    regalloc.allocate(mf)
    stack.drop_dead_spills(mf)
    check.check(mf, before)
    return mf, before


def refuses(mf: MFunc, before: check.Before) -> bool:
    try:
        check.check(mf, before)
    except InternalError:
        return True
    return False


def instructions(mf: MFunc) -> Iterator[tuple[list[MInsn], int, MInsn]]:
    for block in mf.blocks:
        for n, insn in enumerate(block.insns):
            yield block.insns, n, insn


def test_a_wrong_operand_is_noticed() -> None:
    """Reading another register that surely holds something else."""
    tried = noticed = 0
    for seed in range(6):
        mf, before = allocated(seed, 40)
        for _, _, insn in instructions(mf):
            if not insn.shape & SRC_USE or insn.is_copy:
                continue
            right = insn.src
            for wrong in range(10):
                if wrong != right:
                    insn.src = wrong
                    tried += 1
                    noticed += refuses(mf, before)
            insn.src = right
    assert tried > 200
    assert noticed / tried > 0.9  # the rest hold the same value by a copy


def test_a_wrong_destination_is_noticed() -> None:
    tried = noticed = 0
    for seed in range(4):
        mf, before = allocated(seed, 30)
        for _, _, insn in instructions(mf):
            if insn.shape & (DST_DEF | DST_USE) == DST_DEF and insn.dst >= 0 and not insn.is_copy:
                right = insn.dst
                insn.dst = (right + 1) % 10
                tried += 1
                noticed += refuses(mf, before)
                insn.dst = right
    assert tried > 30 and noticed / tried > 0.9  # the rest are constants that are also elsewhere


@pytest.mark.parametrize("what", (STX | MEM | DW, LDX | MEM | DW))
def test_missing_spill_code_is_noticed(what: int) -> None:
    tried = noticed = 0
    for seed in range(20):
        mf, before = allocated(seed, 120)
        for insns, n, insn in list(instructions(mf)):
            if id(insn) not in before.operands and insn.code == what:
                del insns[n]
                tried += 1
                noticed += refuses(mf, before)
                insns.insert(n, insn)
    assert tried > 20
    assert noticed / tried > 0.85  # the rest finds the value in place already


def test_two_values_in_one_slot_are_noticed() -> None:
    for seed in range(20):
        mf, before = allocated(seed, 150)
        spills = [i for i, slot in enumerate(mf.slots) if slot.spill]
        if len(spills) < 3:
            continue
        for _, _, insn in instructions(mf):
            if insn.slot in spills and id(insn) not in before.operands:
                insn.slot = spills[0]
        assert refuses(mf, before)
        return
    raise AssertionError("no function with three spills")


def test_lost_and_reordered_instructions_are_noticed() -> None:
    mf, before = allocated(3, 30)
    for insns, n, insn in list(instructions(mf)):
        if not insn.targets and insn.code & 7 == STX:
            del insns[n]
            assert refuses(mf, before)
            insns.insert(n, insn)
    block = max(mf.blocks, key=lambda b: len(b.insns))
    block.insns[0], block.insns[1] = block.insns[1], block.insns[0]
    assert refuses(mf, before)


def test_a_call_that_destroys_a_value_is_noticed() -> None:
    mf, before = allocated(5, 60)
    crossing = 0
    for seed in range(30):
        mf, before = allocated(seed, 60)
        for _, _, insn in instructions(mf):
            if insn.shape & DST_DEF and insn.dst >= 6:
                calls = [i for _, _, i in instructions(mf) if i.is_call]
                if calls:
                    for call in calls:
                        call.clobbers = 0b1111111111
                    crossing += 1
                    assert refuses(mf, before)
                    break
        if crossing > 3:
            return
    raise AssertionError("no values across calls")
