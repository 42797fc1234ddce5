"""Random programs: any instruction in any order, jumps anywhere, and enough sense to reach deep into themselves."""

from __future__ import annotations

from hypothesis import strategies as st

from purebpf.isa import opcodes as op
from purebpf.isa.insn import Insn
from tests.vm.asm import EXIT, SIZES, alu, alu32, alu32_r, alu_r, imm64, load, mov_r, store

WORDS = st.one_of(
    st.sampled_from([0, 1, 2, 7, 31, 63, 0x7F, 0x80, 0xFF, 0x8000, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63,
                     2**64 - 1]),
    st.integers(0, 2**64 - 1))
IMMS = st.one_of(st.sampled_from([0, 1, -1, 2, 8, 31, 32, 63, 255, -256, 2**31 - 1, -(2**31)]),
                 st.integers(-(2**31), 2**31 - 1))
PLAIN = [op.ADD, op.SUB, op.MUL, op.OR, op.AND, op.LSH, op.RSH, op.XOR, op.ARSH, op.DIV, op.MOD]
CONDITIONS = [op.JEQ, op.JGT, op.JGE, op.JSET, op.JNE, op.JSGT, op.JSGE, op.JLT, op.JLE, op.JSLT, op.JSLE]
SIGNED = (op.DIV, op.MOD)
NUMBERS = st.sampled_from([0, 2, 3, 4, 5, 7, 8])  # registers that hold numbers
# r9 keeps the memory's address, r6 wanders in it, r1 is spoilt now and then


@st.composite
def arithmetic(draw, registers=NUMBERS):
    dst, src, wide = draw(registers), draw(registers), draw(st.booleans())
    by_reg, by_imm = (alu_r, alu) if wide else (alu32_r, alu32)
    form = draw(st.integers(0, 5))
    if form <= 1:
        what = draw(st.sampled_from(PLAIN))
        off = draw(st.integers(0, 1)) if what in SIGNED else 0
        return by_reg(what, dst, src, off) if form else by_imm(what, dst, draw(IMMS), off)
    if form == 2:
        return by_reg(op.MOV, dst, src, draw(st.sampled_from([0, 8, 16, 32] if wide else [0, 8, 16])))
    if form == 3:
        return by_imm(op.MOV, dst, draw(IMMS))
    if form == 4:
        return by_imm(op.NEG, dst)
    code = draw(st.sampled_from([op.ALU | op.END, op.ALU | op.END | op.X, op.ALU64 | op.END]))
    return Insn(code, dst, imm=draw(st.sampled_from([16, 32, 64])))


@st.composite
def accesses(draw):
    size = draw(st.sampled_from([1, 2, 4, 8]))
    base = draw(st.sampled_from([10, 10, 9, 9, 6]))
    low, high = (-64, 0) if base == 10 else (0, 48) if base == 9 else (-4, 40)
    off = draw(st.integers(low, max(low, high - size)))
    off -= off % size if draw(st.integers(0, 3)) else 0
    register, form = draw(NUMBERS), draw(st.integers(0, 7))
    if form <= 2:
        return Insn(op.LDX | op.MEM | SIZES[size], register, base, off)
    if form == 3 and size < 8:
        return Insn(op.LDX | op.MEMSX | SIZES[size], register, base, off)
    if form <= 5:
        return Insn(op.STX | op.MEM | SIZES[size], base, register, off)
    if form == 6:
        return Insn(op.ST | op.MEM | SIZES[size], base, 0, off, draw(IMMS))
    what = draw(st.sampled_from([a | f for a in (op.ADD, op.OR, op.AND, op.XOR) for f in (0, op.FETCH)]
                                + [op.XCHG, op.CMPXCHG]))
    return Insn(op.STX | op.ATOMIC | SIZES[max(4, size)], base, register, off, what)


@st.composite
def jumps(draw):
    what, wide = draw(st.sampled_from(CONDITIONS)), draw(st.booleans())
    kind = op.JMP if wide else op.JMP32
    if draw(st.booleans()):
        return Insn(kind | what | op.X, draw(NUMBERS), draw(NUMBERS), 0)
    return Insn(kind | what, draw(NUMBERS), 0, 0, draw(IMMS))


POINTERS = st.one_of(
    st.builds(lambda n: alu(op.ADD, 6, n), st.integers(-8, 8)),
    st.builds(lambda r: alu_r(op.ADD, 6, r), NUMBERS), st.builds(lambda r: alu_r(op.SUB, 6, r), NUMBERS),
    st.just(mov_r(6, 9)), st.just(mov_r(6, 10)), st.just(alu_r(op.SUB, 7, 9)), st.just(mov_r(8, 9)),
    st.builds(lambda r: mov_r(r, 6), NUMBERS), st.just(alu_r(op.SUB, 6, 9)), st.just(mov_r(6, 0)), st.just(mov_r(0, 9)),
    st.just(mov_r(0, 6)), st.just(store(8, 10, 6, -8)), st.just(load(8, 6, 10, -8)), st.just(store(8, 9, 9, 8)),
    st.just(load(8, 6, 9, 8)), st.just(mov_r(2, 10)), st.just(mov_r(1, 6)), st.just(mov_r(1, 9)), st.builds(lambda r: alu_r(op.AND, 6, r), NUMBERS))
PLAIN_JUMPS = st.sampled_from([Insn(op.JMP | op.JA), Insn(op.JMP | op.JCOND), EXIT])
ANYTHING = st.one_of(arithmetic(), arithmetic(), accesses(), accesses(), jumps(), POINTERS, PLAIN_JUMPS)


@st.composite
def programs(draw, size: int = 40):
    """A program with a subprogram; it may fault, and it may run for ever."""
    head = [mov_r(9, 1), mov_r(6, 1), *(imm64(r, draw(WORDS)) for r in (0, 2, 3, 4, 5, 7, 8))]
    body = draw(st.lists(ANYTHING, min_size=1, max_size=size))
    sub = draw(st.lists(ANYTHING, max_size=8))
    calls = draw(st.lists(st.integers(0, len(body)), max_size=2))
    for at in calls:
        body.insert(at, Insn(op.JMP | op.CALL, src=op.CALL_LOCAL))
    main = [*head, *_joined(draw, body), EXIT]
    start = sum(i.slots for i in main)
    slot, linked = 0, []
    for insn in main:
        if insn.code == op.JMP | op.CALL:
            insn = insn._replace(imm=start - slot - 1)
        linked.append(insn)
        slot += insn.slots
    return [*linked, mov_r(9, 1), mov_r(6, 2), *_joined(draw, sub), EXIT]


def _joined(draw, body: list[Insn]) -> list[Insn]:
    """Jumps get targets inside `body` (which has no instruction of two slots)."""
    out = []
    for at, insn in enumerate(body):
        what = insn.code & 0xF0
        if insn.code & 7 in (op.JMP, op.JMP32) and what not in (op.CALL, op.EXIT):
            forward = draw(st.integers(0, 3))  # mostly
            target = draw(st.integers(at + 1, len(body)) if forward else st.integers(0, len(body)))
            insn = insn._replace(off=target - at - 1)
        out.append(insn)
    return out
