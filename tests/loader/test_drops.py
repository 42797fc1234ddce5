"""Counters behind the calls that can find a ring buffer full: the program stays what it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf.isa import Insn
from purebpf.loader import drops
from purebpf.spec import Linked, MapSpec, link
from purebpf.uapi.enums import MapType
from purebpf.vm import Machine
from tests.kernel.specs import func, obj

RINGS = ("a", "b")


def linked(text: str, **functions: str) -> Linked:
    return link(func("main", text), {name: func(name, body) for name, body in functions.items()})


def named(text: str, rings: tuple[str, ...] = RINGS) -> list[str]:
    return list(drops.calls(linked(text), rings).rings.values())


RESERVE = "r2 = 8\nr3 = 0\ncall ringbuf_reserve\n"


def test_whose_ring_it_is() -> None:
    assert named(f"r1 = map:b\n{RESERVE}exit") == ["b"]
    assert named(f"r6 = map:b\nr7 = r6\nr1 = r7\n{RESERVE}exit") == ["b"]
    assert named(f"if r1 == 0 goto +3\nr1 = map:a\ngoto +2\nr1 = map:b\n{RESERVE}exit") == [drops.UNKNOWN]
    assert named(f"r6 = map:a\nif r1 == 0 goto +0\nr1 = r6\n{RESERVE}exit") == ["a"], "one definition, whichever way"
    assert named(f"r6 = map:a\nif r1 == 0 goto +2\nr6 = map:b\nr1 = r6\n{RESERVE}exit") == [drops.UNKNOWN]
    assert named(f"r1 = *(u64 *)(r10 - 8)\n{RESERVE}exit") == [drops.UNKNOWN]
    assert named(f"r1 = *(u64 *)(r10 - 8)\n{RESERVE}exit", ("a",)) == ["a"], "there is no other"
    assert named(RESERVE + "exit") == [drops.UNKNOWN], "an argument"
    assert named("call ringbuf_query\ncall trace_printk\nexit") == []


def test_jumps_and_calls_still_go_where_they_went() -> None:
    text = f"""
        r6 = 0
      again:
        r1 = map:a
        {RESERVE}
        if r0 == 0 goto out
        r1 = r0
        r2 = 0
        call ringbuf_submit
      out:
        r6 += 1
        if r6 < 3 goto again
        call func:sub
        exit"""
    before = linked(text, sub="r1 = func:back\nr0 = 0\nexit", back="r0 = 0\nexit")
    after = drops.counted(before, drops.calls(before, RINGS), [*RINGS, ""])
    assert after is not None and sum(i.slots for i in after.insns) == sum(i.slots for i in before.insns) + 5
    kept = [i for n, i in enumerate(after.insns) if not 5 <= n < 9]
    assert [i._replace(off=0, imm=0) for i in kept] == [i._replace(off=0, imm=0) for i in before.insns]
    assert [f.name for _, f in after.starts] == ["main", "sub", "back"]
    assert goes(before) == goes(after)


def goes(program: Linked) -> list[str]:
    """For each instruction that refers to another by distance: what stands there."""
    slots = {slot: n for n, slot in enumerate(drops._slots(program.insns))}
    start = {slot: f.name for slot, f in program.starts}
    found = []
    for n, insn in enumerate(program.insns):
        field = drops._distance(insn)
        if not field or insn.code == 0x55 and program.insns[n + 1].ref is not None and "lost" in str(program.insns[n + 1]):
            continue
        value = getattr(insn, field)
        value -= (value & 0x80000000) << 1 if insn.code == 0x18 else 0
        slot = drops._slots(program.insns)[n] + 1 + value
        found.append(start.get(slot) or str(program.insns[slots[slot]]._replace(off=0)))
    return found


def test_a_jump_that_would_become_too_long() -> None:
    middle = "\n".join(["r0 = 0"] * 32750)
    before = linked(f"if r1 == 0 goto out\nr1 = map:a\n{RESERVE}if r0 != 0 goto out\n{middle}\nout:\nr0 = 0\nexit")
    far = drops.counted(before, drops.calls(before, RINGS), [*RINGS, ""])
    assert far is not None
    before = linked(f"if r1 == 0 goto out\nr1 = map:a\n{RESERVE * 8}{middle[:-7 * 20]}\nout:\nr0 = 0\nexit")
    assert drops.counted(before, drops.calls(before, RINGS), [*RINGS, ""]) is None


def fill(before: int, records: int, size: int) -> str:
    call = f"r1 = map:ring\nr2 = {size}\nr3 = 0\ncall ringbuf_reserve\nif r0 == 0 goto +3\nr1 = r0\nr2 = 0\ncall ringbuf_submit\n"
    return "r0 = 0\n" * before + call * records + "r0 = 2\nexit"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3), st.integers(0, 12), st.sampled_from([8, 600, 5000]))
def test_the_vm_counts_the_same(before: int, records: int, size: int) -> None:
    spec = obj("xdp", fill(before, records, size), maps=(MapSpec("ring", MapType.RINGBUF, 0, 0, 4096),))
    machine = Machine(spec)
    machine.run(data=bytes(64))
    there = len(machine.maps["ring"].read())
    assert there + machine.maps["ring"].lost == records


@pytest.mark.parametrize("register", range(11))
def test_what_an_instruction_writes(register: int) -> None:
    assert drops.written(Insn(0xB7, register)) == (register,) and drops.written(Insn(0x18, register)) == (register,)
    assert drops.written(Insn(0x7B, register, 3)) == () and drops.written(Insn(0x79, register, 3)) == (register,)
    assert drops.written(Insn(0xDB, register, 3, imm=1)) == (0, 3) and drops.written(Insn(0xDB, register, 3)) == ()
    assert drops.written(Insn(0xDB, register, 3, imm=0x100)) == (register,)
