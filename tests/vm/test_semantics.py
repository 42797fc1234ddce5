"""What each instruction means, family by family, as RFC 9669 and the kernel say; in both engines.

Expected values are written out or computed by formulas of their own, never by the VM's tables.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from purebpf import vm
from purebpf.errors import VmFault
from purebpf.isa import opcodes as op
from purebpf.isa.insn import Insn
from tests.vm.asm import (
    ENGINES,
    EXIT,
    alu,
    alu32,
    alu32_r,
    alu_r,
    atomic,
    call,
    call_local,
    code,
    goto,
    gotol,
    imm64,
    jump,
    jump32,
    jump32_r,
    jump_r,
    load,
    load_signed,
    may_goto,
    mov,
    mov_r,
    store,
    store_imm,
)

M32, M64 = 2**32 - 1, 2**64 - 1
INTERESTING = [0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 2**31 - 1, 2**31, M32, 2**32, 2**63 - 1, 2**63, M64, M64 - 1]
u64 = st.one_of(st.sampled_from(INTERESTING), st.integers(0, M64))
i32 = st.one_of(st.sampled_from([0, 1, -1, 31, 32, 63, 64, 2**31 - 1, -(2**31)]), st.integers(-(2**31), 2**31 - 1))


@pytest.fixture(params=ENGINES)
def run(request):
    def run(*insns, memory=b"", **more):
        return vm.run(code(*insns), memory, engine=request.param, **more)

    return run


def s(value: int, bits: int) -> int:
    value &= 2**bits - 1
    return value - 2**bits if value >= 2 ** (bits - 1) else value


def towards_zero(a: int, b: int) -> int:
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


ALU = {  # on unsigned a, b of `w` bits
    op.ADD: lambda a, b, w: a + b,
    op.SUB: lambda a, b, w: a - b,
    op.MUL: lambda a, b, w: a * b,
    op.DIV: lambda a, b, w: a // b if b else 0,
    op.OR: lambda a, b, w: a | b,
    op.AND: lambda a, b, w: a & b,
    op.LSH: lambda a, b, w: a * 2 ** (b % w),
    op.RSH: lambda a, b, w: a // 2 ** (b % w),
    op.MOD: lambda a, b, w: a % b if b else a,
    op.XOR: lambda a, b, w: a ^ b,
    op.MOV: lambda a, b, w: b,
    op.ARSH: lambda a, b, w: s(a, w) // 2 ** (b % w),
}
SIGNED_ALU = {
    op.DIV: lambda a, b, w: towards_zero(s(a, w), s(b, w)) if b else 0,
    op.MOD: lambda a, b, w: s(a, w) - s(b, w) * towards_zero(s(a, w), s(b, w)) if b else a,
}


@settings(max_examples=40, deadline=None)
@given(a=u64, b=u64, imm=i32)
@example(a=2**63, b=M64, imm=-1)
@example(a=2**31, b=M32, imm=-1)
@example(a=2**64 - 2**31, b=0, imm=0)
@pytest.mark.parametrize("engine", ENGINES)
def test_arithmetic(engine, a, b, imm):
    for off, table in ((0, ALU), (1, SIGNED_ALU)):
        for what, want in table.items():
            for wide, bits in ((True, 64), (False, 32)):
                m = 2**bits - 1
                by_reg, by_imm = (alu_r, alu) if wide else (alu32_r, alu32)
                got = vm.run(code(imm64(0, a), imm64(1, b), by_reg(what, 0, 1, off), EXIT), engine=engine)
                assert got == want(a & m, b & m, bits) & m, (hex(what), bits, off)
                got = vm.run(code(imm64(0, a), by_imm(what, 0, imm, off), EXIT), engine=engine)
                assert got == want(a & m, imm & m, bits) & m, (hex(what), bits, off, "imm")


@pytest.mark.parametrize("a", INTERESTING)
def test_unary(run, a):
    assert run(imm64(0, a), alu(op.NEG, 0), EXIT) == -a % 2**64
    assert run(imm64(0, a), alu32(op.NEG, 0), EXIT) == -a % 2**32
    for bits in (16, 32, 64):
        swapped = int.from_bytes((a % 2**bits).to_bytes(bits // 8, "little"), "big")
        assert run(imm64(0, a), Insn(op.ALU | op.END, 0, imm=bits), EXIT) == a % 2**bits  # le
        assert run(imm64(0, a), Insn(op.ALU | op.END | op.X, 0, imm=bits), EXIT) == swapped  # be
        assert run(imm64(0, a), Insn(op.ALU64 | op.END, 0, imm=bits), EXIT) == swapped  # bswap
    for bits in (8, 16, 32):
        assert run(imm64(1, a), alu_r(op.MOV, 0, 1, bits), EXIT) == s(a, bits) % 2**64
    for bits in (8, 16):
        assert run(imm64(1, a), alu32_r(op.MOV, 0, 1, bits), EXIT) == s(a, bits) % 2**32
    assert run(imm64(1, a), Insn(op.ALU64 | op.MOV | op.X, 0, 1, 1, 1), EXIT) == a  # addr_space_cast


JUMPS = {
    op.JEQ: lambda a, b, w: a == b,
    op.JNE: lambda a, b, w: a != b,
    op.JGT: lambda a, b, w: a > b,
    op.JGE: lambda a, b, w: a >= b,
    op.JLT: lambda a, b, w: a < b,
    op.JLE: lambda a, b, w: a <= b,
    op.JSET: lambda a, b, w: a & b != 0,
    op.JSGT: lambda a, b, w: s(a, w) > s(b, w),
    op.JSGE: lambda a, b, w: s(a, w) >= s(b, w),
    op.JSLT: lambda a, b, w: s(a, w) < s(b, w),
    op.JSLE: lambda a, b, w: s(a, w) <= s(b, w),
}


@settings(max_examples=40, deadline=None)
@given(a=u64, b=u64, imm=i32)
@example(a=5, b=5, imm=5)
@example(a=2**63, b=2**63, imm=-(2**31))
@example(a=M64, b=0, imm=-1)
@example(a=2**32 + 5, b=5, imm=5)
@pytest.mark.parametrize("engine", ENGINES)
def test_conditions(engine, a, b, imm):
    for what, want in JUMPS.items():
        for bits, by_reg, by_imm in ((64, jump_r, jump), (32, jump32_r, jump32)):
            m = 2**bits - 1
            tail = (mov(0, 1), EXIT)
            got = vm.run(code(imm64(1, a), imm64(2, b), mov(0, 2), by_reg(what, 1, 2, 1), *tail), engine=engine)
            assert got == (2 if want(a & m, b & m, bits) else 1), (hex(what), bits)
            got = vm.run(code(imm64(1, a), mov(0, 2), by_imm(what, 1, imm, 1), *tail), engine=engine)
            assert got == (2 if want(a & m, imm & m, bits) else 1), (hex(what), bits, "imm")


def test_gotos(run):
    assert run(mov(0, 1), goto(1), mov(0, 2), EXIT) == 1
    assert run(mov(0, 1), gotol(1), mov(0, 2), EXIT) == 1
    assert run(mov(0, 1), goto(2), alu(op.ADD, 0, 2), EXIT, goto(-3)) == 3
    assert run(mov(0, 3), goto(0), EXIT) == 3


def test_far_goto(run):
    assert run(mov(0, 1), gotol(40_000), *[alu(op.ADD, 0, 1)] * 40_000, EXIT) == 1


def test_imm64(run):
    assert run(imm64(0, 0x1122334455667788), EXIT) == 0x1122334455667788
    assert run(imm64(0, -1), EXIT) == M64
    assert run(goto(2), imm64(0, 5), imm64(0, 6), EXIT) == 6


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_loads_and_stores(run, size):
    data = bytes(range(0xF0, 0x100)) + b"\x7f\x80\x01\x02\x03\x04\x05\x06"
    for offset in range(len(data) - size + 1):
        want = int.from_bytes(data[offset : offset + size], "little")
        assert run(load(size, 0, 1, offset), EXIT, memory=data) == want
        moved = (alu(op.ADD, 1, len(data)), load(size, 0, 1, offset - len(data)), EXIT)
        assert run(*moved, memory=data) == want
        if size < 8:
            assert run(load_signed(size, 0, 1, offset), EXIT, memory=data) == s(want, size * 8) % 2**64
    memory = bytearray(24)
    assert run(imm64(2, 0x1122334455667788), store(size, 1, 2, 5), store_imm(size, 1, -2, 14), mov(0, 0), EXIT,
               memory=memory) == 0
    want = bytearray(24)
    want[5 : 5 + size] = bytes.fromhex("8877665544332211")[:size]
    want[14 : 14 + size] = b"\xfe" + b"\xff" * (size - 1)
    assert memory == want


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("offset", [-512, -8, -17, -511])
def test_stack(run, size, offset):
    if offset + size > 0:
        return
    assert run(imm64(1, 0x8899AABBCCDDEEFF), store(size, 10, 1, offset), load(size, 0, 10, offset), EXIT) == (
        0x8899AABBCCDDEEFF % 2 ** (8 * size))
    assert run(load(size, 0, 10, offset), EXIT) == 0  # a frame starts zeroed


def test_stack_overlap(run):
    got = run(imm64(1, 0x1122334455667788), store(8, 10, 1, -8), store_imm(1, 10, 0x99, -6), load(4, 0, 10, -8), EXIT)
    assert got == 0x55997788


@pytest.mark.parametrize("size,low", [(8, -520), (8, -7), (4, -3), (1, 0), (1, -513), (2, 4096)])
def test_stack_bounds(run, size, low):
    with pytest.raises(VmFault, match="insn 1"):
        run(mov(0, 0), load(size, 0, 10, low), EXIT)
    with pytest.raises(VmFault, match="insn 1"):
        run(mov(0, 0), store(size, 10, 0, low), EXIT)


@pytest.mark.parametrize("offset,size", [(16, 1), (15, 2), (13, 4), (9, 8), (-1, 1), (-8, 8), (32767, 8), (-32768, 1)])
def test_memory_bounds(run, offset, size):
    memory = bytearray(b"x" * 16)
    for one in (load(size, 0, 1, offset), store(size, 1, 2, offset), store_imm(size, 1, 3, offset)):
        with pytest.raises(VmFault, match="insn 0"):
            run(one, mov(0, 0), EXIT, memory=memory)
        with pytest.raises(VmFault, match="insn 2"):  # the same through pointer arithmetic
            run(mov(3, offset), alu_r(op.ADD, 1, 3), one._replace(off=0), mov(0, 0), EXIT, memory=memory)
    assert memory == b"x" * 16


@pytest.mark.parametrize("address", [0, 8, 0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_8000_0000_0000, 0x7FFF_0000_0000, 2**32])
def test_wild_addresses(run, address):
    with pytest.raises(VmFault):
        run(imm64(1, address), load(8, 0, 1), EXIT)
    with pytest.raises(VmFault):
        run(imm64(1, address), store(8, 1, 1), mov(0, 0), EXIT)


ATOMICS = {op.ADD: lambda a, b: a + b, op.OR: lambda a, b: a | b, op.AND: lambda a, b: a & b, op.XOR: lambda a, b: a ^ b}


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("a,b", [(0, 0), (5, 3), (M64, 1), (0x8000000080000000, M64), (0x1122334455667788, 0xF0F0F0F0F0F0F0F0)])
def test_atomics(run, size, a, b):
    m = 2 ** (8 * size) - 1
    for what, want in ATOMICS.items():
        for fetch in (0, op.FETCH):
            memory = bytearray(b"\xaa" * 8 + a.to_bytes(8, "little"))
            got = run(imm64(3, b), atomic(size, what | fetch, 1, 3, 8), mov_r(0, 3), EXIT, memory=memory)
            assert got == (a & m if fetch else b)
            assert memory == b"\xaa" * 8 + (a & ~m | want(a & m, b & m) & m).to_bytes(8, "little")
    memory = bytearray(a.to_bytes(8, "little"))
    assert run(imm64(3, b), atomic(size, op.XCHG, 1, 3), mov_r(0, 3), EXIT, memory=memory) == a & m
    assert memory == (a & ~m | b & m).to_bytes(8, "little")


@pytest.mark.parametrize("size", [4, 8])
def test_compare_exchange(run, size):
    m = 2 ** (8 * size) - 1
    stored, fresh = 0x1122334455667788, 0xA1A2A3A4A5A6A7A8
    for expected in (stored, stored & M32, 7, stored ^ 2**63):
        memory = bytearray(stored.to_bytes(8, "little"))
        got = run(imm64(0, expected), imm64(3, fresh), atomic(size, op.CMPXCHG, 1, 3), EXIT, memory=memory)
        hit = expected & m == stored & m
        assert got == stored & m  # always the old value, zero-extended
        assert memory == ((stored & ~m | fresh & m) if hit else stored).to_bytes(8, "little")


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_acquire_release(run, size):
    memory = bytearray(bytes.fromhex("8877665544332211") + bytes(8))
    got = run(atomic(size, op.LOAD_ACQ, 0, 1), atomic(size, op.STORE_REL, 1, 0, 8), EXIT, memory=memory)
    assert got == 0x1122334455667788 % 2 ** (8 * size)
    assert memory[8:] == bytes.fromhex("8877665544332211")[:size] + bytes(8 - size)


def test_atomics_must_be_aligned(run):
    for one in (atomic(4, op.ADD, 1, 1, 2), atomic(8, op.XCHG, 1, 3, 4), atomic(8, op.LOAD_ACQ, 0, 1, 4),
                atomic(2, op.STORE_REL, 1, 1, 1)):
        with pytest.raises(VmFault, match="aligned"):
            run(one, mov(0, 0), EXIT, memory=bytes(16))


def test_loop(run):
    # r0 = 1 + … + 1000
    assert run(mov(0, 0), mov(1, 1000), alu_r(op.ADD, 0, 1), alu(op.SUB, 1, 1), jump(op.JNE, 1, 0, -3), EXIT) == 500500


def test_nested_loops(run):
    body = (
        mov(0, 0), mov(6, 0),
        mov(7, 0),
        alu_r(op.ADD, 0, 7), alu(op.ADD, 7, 1), jump(op.JLT, 7, 10, -3),
        alu(op.ADD, 6, 1), jump(op.JLT, 6, 10, -6), EXIT,
    )
    assert run(*body) == 450


def test_local_calls(run):
    add = (mov_r(0, 1), alu_r(op.ADD, 0, 2), EXIT)
    assert run(mov(1, 3), mov(2, 4), call_local(1), EXIT, *add) == 7
    # the callee's r6-r9 and stack are its own
    clobber = (mov(6, 99), mov(9, 99), store_imm(8, 10, 99, -8), mov(0, 0), EXIT)
    assert run(mov(6, 1), mov(9, 2), store_imm(8, 10, 4, -8), call_local(5), alu_r(op.ADD, 0, 6), alu_r(op.ADD, 0, 9),
               load(8, 1, 10, -8), alu_r(op.ADD, 0, 1), EXIT, *clobber) == 7


def test_pointer_into_the_callers_frame(run):
    assert run(mov_r(1, 10), alu(op.ADD, 1, -8), call_local(2), load(8, 0, 10, -8), EXIT,
               store_imm(8, 1, 42), mov(0, 0), EXIT) == 42


def test_pointer_to_a_dead_frame_faults(run):
    with pytest.raises(VmFault):
        run(call_local(2), load(8, 0, 0, -8), EXIT, store_imm(8, 10, 1, -8), mov_r(0, 10), EXIT)


def test_recursion_depth(run):
    def chain(depth):  # r1 counts down to 0
        return (mov(1, depth), call_local(1), EXIT,
                mov_r(0, 1), jump(op.JEQ, 1, 0, 3), alu(op.SUB, 1, 1), call_local(-4), alu(op.ADD, 0, 1), EXIT)

    assert run(*chain(6)) == 6  # the program and seven activations
    with pytest.raises(VmFault, match="too deep"):
        run(*chain(7))


def test_function_addresses(run):
    program = (imm64(0, 4, op.IMM64_FUNC), alu(op.AND, 0, 0xFF), mov_r(0, 0), EXIT, mov(0, 1), EXIT)
    assert run(*program) == 5 * 8  # pointers count bytes from the program's start
    with pytest.raises(VmFault, match="cannot be read"):
        run(imm64(1, 3, op.IMM64_FUNC), load(8, 0, 1), EXIT, mov(0, 1), EXIT)


def test_helpers_of_the_caller(run):
    seen = []

    def probe(a, b, c, d, e):
        seen.append((a, b, c, d, e))
        return -1

    args = [mov(n, n) for n in range(1, 6)]
    assert run(*args, call(7), EXIT, helpers={7: probe}) == M64
    assert seen == [(1, 2, 3, 4, 5)]
    assert run(mov(1, 20), mov(2, 22), call(1000), EXIT, helpers={1000: lambda a, b: a + b}) == 42
    with pytest.raises(VmFault, match="helper 8"):
        run(call(8), EXIT, helpers={7: probe})


@pytest.mark.parametrize("engine", ENGINES)
def test_may_goto_ends_a_loop(engine):
    body = code(mov(0, 0), alu(op.ADD, 0, 1), may_goto(1), goto(-3), EXIT)
    bare = vm.Bare(body, engine=engine)
    bare.runtime.may_goto = 1000  # a kernel's 8M take the plain engine too long
    assert bare.run() == 1001
    if engine == "fast":
        assert vm.run(body) == 8 * 1024 * 1024 + 1


def test_insn_limit(run):
    with pytest.raises(VmFault, match="more than 1,000 instructions"):
        run(mov(0, 0), goto(-2), EXIT, insn_limit=1000)
    loop = (mov(0, 0), alu(op.ADD, 0, 1), jump(op.JLT, 0, 100, -2), EXIT)
    assert run(*loop, insn_limit=198) == 100
    with pytest.raises(VmFault, match="insn 2"):
        run(*loop, insn_limit=197)


def test_legacy_packet_loads(run):
    packet = bytes(range(32))
    for bits, size in ((op.B, 1), (op.H, 2), (op.W, 4)):
        want = int.from_bytes(packet[5 : 5 + size], "big")
        assert run(Insn(op.LD | op.ABS | bits, imm=5), EXIT, memory=packet) == want
        assert run(mov(3, 2), Insn(op.LD | op.IND | bits, 0, 3, imm=3), EXIT, memory=packet) == want
    assert run(mov(0, 7), Insn(op.LD | op.ABS | op.W, imm=29), mov(0, 9), EXIT, memory=packet) == 0


def test_caller_memory(run):
    assert run(mov_r(0, 2), EXIT, memory=b"12345") == 5
    view = memoryview(bytearray(8))
    run(store_imm(8, 1, 7), mov(0, 0), EXIT, memory=view)
    assert bytes(view) == b"\x07" + bytes(7)
    constant = b"abc"
    run(store_imm(1, 1, 7), mov(0, 0), EXIT, memory=constant)
    assert constant == b"abc"
