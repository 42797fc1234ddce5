"""Instructions by named constructors: every row has one, and they give the bytes of the text."""

from __future__ import annotations

import pytest

from purebpf.errors import FormatError
from purebpf.isa import ROWS, FuncRef, KfuncRef, KsymRef, Label, MapRef, assemble, build, encode, format_insn
from purebpf.isa.build import alu32, alu64, atomic32, atomic64, flow, jmp, jmp32, label, mem, program, r0, r1, r2, r10

GROUPS = {name: getattr(build, name) for name in ("alu64", "alu32", "jmp", "jmp32", "mem", "atomic64", "atomic32", "flow")}
SAMPLE = {"d": r1, "s": r2, "o": 8, "j": 3, "J": 3, "f": 3, "i": -7, "u": 9, "I": 5, "a": 0, "b": 1, "l": 5, "h": 8, "k": 2, "m": 12,
          "x": 7}


def test_every_row_has_a_constructor() -> None:
    seen = {}
    for name, group in GROUPS.items():
        for attribute in dir(group):
            constructor = getattr(group, attribute)
            for row, slots in constructor.forms:
                insn = constructor(*(SAMPLE[s] for s in slots))
                for notation in ("kernel", "mnemonic"):
                    assert assemble(format_insn(insn, notation)) == encode([insn]), (name, attribute)
                seen[row.name] = insn
    assert set(seen) == {row.name for row in ROWS}


@pytest.mark.parametrize(("insn", "text"), [
    (alu64.add(r1, 5), "r1 += 5"), (alu64.add(r1, r2), "r1 += r2"), (alu32.and_(r1, r2), "w1 &= w2"), (alu64.neg(r1), "r1 = -r1"),
    (alu64.movsx8(r1, r2), "r1 = (s8)r2"), (alu64.be16(r1), "r1 = be16 r1"), (alu64.mov(r1, 0xFFFFFFFF), "r1 = -1"),
    (jmp.jeq(r1, 5, 2), "if r1 == 5 goto +2"), (jmp32.jsgt(r1, r2, -1), "if w1 s> w2 goto -1"),
    (mem.ldxw(r0, r1, 4), "r0 = *(u32 *)(r1 + 4)"), (mem.stdw(r10, -8, 7), "*(u64 *)(r10 - 8) = 7"),
    (mem.stxb(r10, -1, r2), "*(u8 *)(r10 - 1) = r2"), (mem.lddw(r1, 2**63), "r1 = 0x8000000000000000 ll"),
    (mem.lddw(r1, MapRef("m")), "r1 = m ll"), (mem.lddw(r1, KsymRef("k", False)), "r1 = k ll"),
    (atomic64.fetch_add(r1, 8, r2), "r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)"),
    (atomic32.cmpxchg(r1, 0, r2), "w0 = cmpxchg32_32(r1 + 0, w0, w2)"),
    (mem.load_acquire16(r1, r2, 2), "w1 = load_acquire((u16 *)(r2 + 2))"), (flow.exit(), "exit"), (flow.call(7), "call 7"),
    (flow.call(FuncRef("f")), "call f"), (flow.call(KfuncRef("k")), "call k"), (flow.call_kfunc(5, 2), "call kfunc 5, module 2"),
    (alu64.addr_space_cast(r1, r2, 0, 1), "r1 = addr_space_cast(r2, 0, 1)"), (flow.ja("out"), "goto out"),
])
def test_constructors(insn: build.Insn, text: str) -> None:
    assert format_insn(insn) == text


def test_programs_with_labels() -> None:
    code = encode(program(
        alu64.mov(r0, 0), label("again"), jmp.jeq(r1, 5, "out"), mem.lddw(r2, 7), [alu64.add(r0, 1), jmp.jlt(r0, r1, "again")],
        flow.call_local("sub"), flow.gotol("out"), label("sub"), flow.may_goto("out"), Label("out"), flow.exit(),
    ))
    assert code == assemble("""
        r0 = 0
        again: if r1 == 5 goto out
        r2 = 7 ll
        r0 += 1
        if r0 < r1 goto again
        call local sub
        gotol out
        sub: may_goto out
        out: exit""")


@pytest.mark.parametrize("make", [
    lambda: alu64.add(r1), lambda: alu64.add(5, r1), lambda: alu64.mov(r1, 2**32), lambda: mem.ldxw(r0, r1, 40000),
    lambda: mem.ldxw(r0, 5, 4), lambda: jmp.jeq(r1, 1, 40000), lambda: alu64.mov(r1, MapRef("m")), lambda: flow.call(MapRef("m")),
    lambda: program(flow.ja("x")), lambda: program(label("x"), label("x")), lambda: mem.lddw(r1, 2**64),
    lambda: program(flow.ja("x"), [flow.exit()] * 40000, label("x")),
])
def test_wrong_operands(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(FormatError):
        make()


def test_unknown_names() -> None:
    with pytest.raises(AttributeError):
        alu64.nope(r1)
    assert "add" in dir(alu64) and repr(r1) == "r1"


def test_the_door_has_the_constructors() -> None:
    import purebpf.isa as isa
    from purebpf.isa import alu64, r1

    assert isa.format_insn(alu64.add(r1, 5)) == "r1 += 5"
    assert all(getattr(isa, name) is not None for name in isa.__all__)
