"""Kernels up to 6.1 refuse a loop that comes round without a jump ("back-edge"): objects for them have none.

The check is theirs (check_cfg): depth first, and no instruction that just goes on to the next may lead to one that is on the
way to it.
"""

from __future__ import annotations

import pytest

from purebpf.api import compile_all
from purebpf.isa.insn import Insn
from purebpf.isa.opcodes import CALL, EXIT, JA, JMP, JMP32, LD_IMM64
from purebpf.spec import ObjectSpec
from tests.corpus import harness

PROGRAMS = sorted(p for p in harness.HERE.glob("*/*.py") if p.parent.name in ("control", "packets", "strings", "ints", "maps"))


def falls_back(insns: tuple[Insn, ...]) -> list[int]:
    """Slots from which a loop comes round by going on."""
    at: dict[int, Insn] = {}
    slot = 0
    for insn in insns:
        at[slot] = insn
        slot += insn.slots
    found: list[int] = []
    way, seen = {0}, {0}
    work = [(0, iter(edges(0, at[0])))]
    while work:
        here, targets = work[-1]
        step = next(targets, None)
        if step is None:
            way.discard(here)
            work.pop()
            continue
        target, goes_on = step
        if target in way and goes_on:
            found.append(here)
        if target not in seen and target in at:
            seen.add(target)
            way.add(target)
            work.append((target, iter(edges(target, at[target]))))
    return found


def edges(slot: int, insn: Insn) -> list[tuple[int, bool]]:
    """(target, just goes on) of an instruction."""
    form, kind = insn.code & 7, insn.code & 0xF0
    if form not in (JMP, JMP32) or insn.code == LD_IMM64:
        return [(slot + insn.slots, True)]
    if kind == EXIT:
        return []
    if kind == CALL:
        return [(slot + 1, True)]
    if kind == JA:
        return [(slot + 1 + (insn.imm if form == JMP32 else insn.off), False)]
    return [(slot + 1, False), (slot + 1 + insn.off, False)]


def built(path: object, kernel: str) -> ObjectSpec:
    module = harness.load_module(path)  # type: ignore[arg-type]
    harness.calls(module)
    programs = harness.module_programs(module)
    return compile_all(*programs, kernel=kernel).spec if programs else ObjectSpec({})


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_loops_come_round_by_a_jump(path: object) -> None:
    spec = built(path, "")
    for function in (*spec.functions.values(), *(p.func for p in spec.programs.values())):
        assert not falls_back(function.insns), function.name


def test_the_check_finds_what_it_looks_for() -> None:
    spec = built(harness.HERE / "control" / "for_else.py", "6.18")
    assert any(falls_back(p.func.insns) for p in spec.programs.values())
