"""The kernel is the judge: random straight-line programs, and clang's objects, give in the VM what they give there."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purebpf import elf, loader
from purebpf.isa import opcodes as op
from purebpf.isa.insn import Insn
from purebpf.spec import DataSpec, VarSpec
from purebpf.uapi.enums import ProgType
from purebpf.vm import Machine
from tests.vm.asm import EXIT, SIZES, imm64, mov, mov_r, store, store_imm
from tests.vm.objects import data_ref, program, spec
from tests.vm.programs import CONDITIONS, IMMS, NUMBERS, WORDS, arithmetic

pytestmark = pytest.mark.kernel
FRAME = bytes(64)
SLOTS = 4  # words of the stack in play
OUT = 9 + SLOTS  # words reported: r0 … r8 and the stack


@st.composite
def stack_accesses(draw):
    size = draw(st.sampled_from([1, 2, 4, 8]))
    off = -draw(st.integers(1, 8 * SLOTS // size)) * size
    register, form = draw(NUMBERS), draw(st.integers(0, 5))
    if form <= 1:
        return Insn(op.LDX | op.MEM | SIZES[size], register, 10, off)
    if form == 2 and size < 8:
        return Insn(op.LDX | op.MEMSX | SIZES[size], register, 10, off)
    if form == 3:
        return Insn(op.STX | op.MEM | SIZES[size], 10, register, off)
    if form == 4:
        return Insn(op.ST | op.MEM | SIZES[size], 10, 0, off, draw(IMMS))
    size = max(4, size)
    what = draw(st.sampled_from([a | f for a in (op.ADD, op.OR, op.AND, op.XOR) for f in (0, op.FETCH)]
                                + [op.XCHG, op.CMPXCHG]))
    return Insn(op.STX | op.ATOMIC | SIZES[size], 10, register, off - off % size, what)


@st.composite
def skips(draw):
    kind = draw(st.sampled_from([op.JMP, op.JMP32])) | draw(st.sampled_from(CONDITIONS))
    distance = draw(st.integers(0, 3))
    if draw(st.booleans()):
        return Insn(kind | op.X, draw(NUMBERS), draw(NUMBERS), distance)
    return Insn(kind, draw(NUMBERS), 0, distance, draw(IMMS))


def accepted(insn: Insn) -> Insn:
    """What the verifier refuses by its constants (shifts too far, division by zero), made acceptable."""
    what, kind = insn.code & 0xF0, insn.code & 7
    if kind in (op.ALU, op.ALU64) and not insn.code & op.X:
        if what in (op.LSH, op.RSH, op.ARSH):
            return insn._replace(imm=insn.imm & (63 if kind == op.ALU64 else 31))
        if what in (op.DIV, op.MOD) and not insn.imm:
            return insn._replace(imm=3)
    return insn


@st.composite
def straight(draw):
    """Any arithmetic, stack accesses and forward jumps over them; all registers and slots are reported in .bss."""
    body = draw(st.lists(st.one_of(arithmetic(), arithmetic(), stack_accesses(), skips()), min_size=1, max_size=40))
    body = [accepted(insn) for insn in body] + [mov_r(0, 0)] * 3  # where the last jumps land
    head = [*(imm64(r, draw(WORDS)) for r in (0, 2, 3, 4, 5, 7, 8)), mov(1, 0), mov(6, 0)]
    head += [store_imm(8, 10, n, -8 * n) for n in range(1, SLOTS + 1)]
    tail = [data_ref(9, ".bss"), *(store(8, 9, r, 8 * r) for r in range(9))]
    for n in range(SLOTS):
        tail += [Insn(op.LDX | op.MEM | op.DW, 0, 10, -8 * n - 8), store(8, 9, 0, 72 + 8 * n)]
    return spec(program(*head, *body, *tail, mov(0, 2), EXIT),
                data=(DataSpec(".bss", bytes(8 * OUT), (VarSpec("out", 0, 8 * OUT),)),))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(straight())
def test_random_programs(one):
    with loader.load(one) as k:
        assert k["prog"].test_run(FRAME).retval == 2
        expected = k["out"].raw
    for engine in ("plain", "fast"):
        machine = Machine(one, engine=engine)
        assert machine.run(data=FRAME).retval == 2
        assert machine.maps[".bss"].engine.get(bytes(4)) == expected, engine


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("kind", [ProgType.SCHED_CLS, ProgType.XDP, ProgType.SOCKET_FILTER, ProgType.CGROUP_SKB])
@pytest.mark.parametrize("to,ethertype", [(b"\xff" * 6, b"\x08\x00"), (bytes(6), b"\x86\xdd"), (b"\x02" * 6, b"\x00\x20"),
                                          (b"\x01" * 6, b"\x81\x00"), (bytes(6), b"\x00\x20")])
def test_context_fields(kind, to, ethertype, engine):
    """Every number of the context that test_run defines, read in both."""
    frame = to + bytes(6) + ethertype + (b"\xff\xff" if to == bytes(6) else b"") + bytes(range(60))
    fields = {"len": 0, "pkt_type": 4, "mark": 8, "protocol": 16, "priority": 32, "ingress_ifindex": 36, "ifindex": 40,
              "cb": 48} if kind != ProgType.XDP else {"ingress_ifindex": 12, "rx_queue_index": 16}
    for name, offset in fields.items():
        body = (Insn(op.LDX | op.MEM | op.W, 2, 1, offset), data_ref(3, ".bss"), store(8, 3, 2), mov(0, 1), EXIT)
        one = spec(program(*body, kind=kind), data=(DataSpec(".bss", bytes(8), (VarSpec("out", 0, 8),)),))
        machine = Machine(one, engine=engine)
        with loader.load(one) as k:
            expected = k["prog"].test_run(frame)
            assert machine.run(data=frame).data == expected.data
            assert machine["out"].value == k["out"].value, name


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_clang_maps(clang_object, engine):
    one = elf.read(clang_object("maps"))
    machine = Machine(one, engine=engine)
    with loader.load(one) as k:
        for size in (64, 64, 80, 64, 300):
            assert machine.run("count", bytes(size)).retval == k["count"].test_run(bytes(size)).retval
        for name in ("array", "hash", "lru"):
            assert [(key, _plain(v)) for key, v in sorted(machine.maps[name].items())] == \
                [(key, _plain(v)) for key, v in sorted(k[name].items())], name
        assert machine.maps["percpu"][0].sum() == k["percpu"][0].sum()
        ours, theirs = machine.maps["events"].read(), k["events"].read()
        assert [r[:4] + r[8:] for r in ours] == [r[:4] + r[8:] for r in theirs]  # between them: the CPU


def _plain(value):
    return value._asdict() if hasattr(value, "_asdict") else value


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_clang_globals_and_tail_calls(clang_object, engine):
    one = elf.read(clang_object("globals"))
    machine = Machine(one, engine=engine)
    with loader.load(one) as k:
        for _ in range(3):
            assert machine.run("run", FRAME).retval == k["run"].test_run(FRAME).retval
        for name in k.variables:
            assert machine[name].value == k[name].value, name
    slots = Machine(elf.read(clang_object("slots")), engine=engine)
    assert slots.run("begin", FRAME).retval == 42
