"""What the kernel refuses of a single instruction, the VM refuses before running anything; and random bytes do no harm."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf import vm
from purebpf.errors import DecodeError, VmFault
from purebpf.isa import opcodes as op
from purebpf.isa.insn import Insn, MapRef
from tests.vm.asm import ENGINES, EXIT, atomic, call_local, code, goto, gotol, imm64, jump, may_goto, mov

REFUSED = {
    "reserved": [
        Insn(op.ALU64 | op.ADD, 0, 1), Insn(op.ALU64 | op.ADD | op.X, 0, 1, 0, 5), Insn(op.ALU | op.ADD, 0, 0, 1),
        Insn(op.ALU64 | op.DIV, 0, 0, 2, 3), Insn(op.ALU64 | op.MOV, 0, 0, 8), Insn(op.ALU64 | op.MOV | op.X, 0, 1, 7),
        Insn(op.ALU | op.MOV | op.X, 0, 1, 32), Insn(op.ALU64 | op.MOV | op.X, 0, 1, 8, 1),
        Insn(op.ALU64 | op.MOV | op.X, 0, 1, 1, 2), Insn(op.ALU64 | op.NEG, 0, 0, 0, 1), Insn(op.ALU64 | op.NEG, 0, 1),
        Insn(op.ALU | op.END, 0, imm=24), Insn(op.ALU | op.END, 0, 1, 0, 16), Insn(op.ALU64 | op.END, 0, 0, 1, 16),
        Insn(op.JMP | op.JA, 1), Insn(op.JMP | op.JA, imm=1), Insn(op.JMP32 | op.JA, 0, 0, 1, 0),
        Insn(op.JMP | op.JEQ, 0, 1), Insn(op.JMP | op.JEQ | op.X, 0, 1, 0, 1), Insn(op.JMP | op.CALL, 1, 0, 0, 1),
        Insn(op.JMP | op.CALL, 0, 3, 0, 1), Insn(op.JMP | op.CALL, 0, 0, 1, 1), Insn(op.JMP | op.EXIT, imm=1),
        Insn(op.JMP | op.EXIT, 1), Insn(op.JMP | op.JCOND, 0, 1), Insn(op.JMP | op.JCOND, imm=1),
        Insn(op.LDX | op.MEM | op.W, 0, 1, 0, 1), Insn(op.ST | op.MEM | op.W, 10, 1, -8),
        Insn(op.STX | op.MEM | op.W, 10, 1, -8, 1), Insn(op.LD_IMM64, 0, 0, 1), Insn(op.LD_IMM64, 0, 7),
        Insn(op.LD | op.ABS | op.W, 1), Insn(op.LD | op.ABS | op.W, 0, 1), Insn(op.LD | op.IND | op.W, 0, 1, 1),
    ],
    "unknown": [
        Insn(op.ALU64 | op.END | op.X, 0, imm=16), Insn(op.ALU64 | op.NEG | op.X, 0), Insn(op.ALU64 | 0xE0), Insn(op.ALU | 0xF0),
        Insn(op.JMP | op.JA | op.X), Insn(op.JMP | op.CALL | op.X), Insn(op.JMP32 | op.CALL), Insn(op.JMP32 | op.EXIT),
        Insn(op.JMP32 | op.JCOND), Insn(op.JMP | 0xF0), Insn(op.LDX | op.IMM | op.W), Insn(op.LDX | op.MEMSX | op.DW, 0, 1),
        Insn(op.ST | op.MEMSX | op.W), Insn(op.STX | op.MEMSX | op.W), Insn(op.ST | op.ATOMIC | op.W), Insn(0),
        Insn(op.LD | op.ABS | op.DW), Insn(op.LD | op.MEM | op.W),
        atomic(8, 0x10, 10, 1, -8), atomic(8, 0xE0, 10, 1, -8), atomic(8, 0xF0, 10, 1, -8), atomic(2, 0, 10, 1, -8),
        atomic(1, op.XCHG, 10, 1, -8), atomic(4, 0x101, 10, 1, -8),
    ],
    "register": [
        Insn(op.ALU64 | op.MOV, 11), Insn(op.ALU64 | op.MOV | op.X, 0, 12), Insn(op.LDX | op.MEM | op.W, 0, 15),
        Insn(op.LD_IMM64, 11),
    ],
    "read-only": [
        mov(10, 0), Insn(op.ALU64 | op.ADD, 10, 0, 0, 8), Insn(op.LDX | op.MEM | op.DW, 10, 1), imm64(10, 0),
        atomic(8, op.FETCH, 10, 10, -8), atomic(8, op.XCHG, 10, 10, -8), atomic(8, op.LOAD_ACQ, 10, 1),
        Insn(op.ALU64 | op.END, 10, imm=16),
    ],
    "jump": [goto(5), goto(-2), jump(op.JEQ, 0, 0, 5), jump(op.JEQ, 0, 0, -9), gotol(100), may_goto(7)],
    "call out": [call_local(1), call_local(-2), call_local(100), imm64(0, 99, op.IMM64_FUNC)],
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("why,insn", [(why, insn) for why, insns in REFUSED.items() for insn in insns])
def test_refused(why, insn, engine):
    with pytest.raises(DecodeError, match=why):
        vm.run(code(insn, EXIT), engine=engine)


@pytest.mark.parametrize("insns,why", [
    ((), "at least one"), ((mov(0, 0),), "does not end"), ((goto(0),), "jump out"), ((EXIT, imm64(0, 1)), "does not end"),
    ((goto(1), imm64(0, 1), EXIT), "middle of a ld_imm64"), ((call_local(1), imm64(0, 0), EXIT), "call out"),
    ((call_local(1), goto(1), mov(0, 0), EXIT), "jump out of"), ((mov(0, 0), call_local(0), mov(0, 1), EXIT), None),
    ((call_local(1), mov(0, 0), EXIT), "does not end"),
])
def test_shape_of_the_program(insns, why):
    if why is None:
        with pytest.raises(DecodeError):
            vm.run(code(*insns))
        return
    with pytest.raises(DecodeError, match=why):
        vm.run(code(*insns))


def test_bytes_that_are_no_instructions():
    for broken in (b"\x95", code(EXIT) + b"\0", code(imm64(0, 1))[:8], code(imm64(0, 1))[:8] + code(EXIT)):
        with pytest.raises(DecodeError):
            vm.run(broken)


def test_symbols_are_refused():
    with pytest.raises(DecodeError, match="symbol"):
        vm.run([Insn(op.LD_IMM64, 1, op.IMM64_MAP_FD, ref=MapRef("m")), EXIT])


slots = st.builds(
    lambda code, regs, off, imm: bytes((code, regs)) + off.to_bytes(2, "little", signed=True) + imm.to_bytes(4, "little"),
    st.integers(0, 255), st.integers(0, 255).map(lambda r: r & 0x33 | r >> 6), st.integers(-4, 4), st.integers(0, 2**32 - 1))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=64), st.lists(slots, max_size=12).map(lambda s: b"".join(s) + code(EXIT))),
       st.sampled_from(ENGINES))
def test_any_bytes_give_a_value_or_the_typed_error(data, engine):
    try:
        assert 0 <= vm.run(data, b"memory", engine=engine, insn_limit=10_000) < 2**64
    except (DecodeError, VmFault):
        pass
