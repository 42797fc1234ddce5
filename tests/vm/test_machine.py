"""Objects in the VM: maps, variables, contexts, subprograms, tail calls, faults with their source line."""

from __future__ import annotations

import errno

import pytest

from purebpf.errors import FormatError, KernelError, KeyMissing, VmFault
from purebpf.isa import opcodes as op
from purebpf.spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, VarSpec
from purebpf.uapi.enums import MapType, ProgType
from purebpf.vm import Machine, Process
from tests.vm.asm import (
    ENGINES,
    EXIT,
    alu,
    alu_r,
    atomic,
    goto,
    jump,
    jump_r,
    load,
    mov,
    mov_r,
    store,
    store_imm,
)
from tests.vm.objects import call_to, data_ref, func_ref, helper, map_ref, program, spec

FRAME = bytes(12) + b"\x08\x00" + bytes(range(50))


@pytest.fixture(params=ENGINES)
def machine(request):
    return lambda *args, **more: Machine(*args, engine=request.param, **more)


def counter(kind: int = MapType.HASH, key: int = 4) -> tuple:
    """Counts the runs in map `m` under key 7: look up, add one, or create with 1."""
    return (
        store_imm(4, 10, 7, -4), mov_r(2, 10), alu(op.ADD, 2, -4), map_ref(1, "m"), helper("map_lookup_elem"),
        jump(op.JEQ, 0, 0, 4),
        mov(1, 1), atomic(8, op.ADD, 0, 1), mov(0, 2), EXIT,
        store_imm(8, 10, 1, -16), map_ref(1, "m"), mov_r(2, 10), alu(op.ADD, 2, -4), mov_r(3, 10), alu(op.ADD, 3, -16),
        mov(4, 0), helper("map_update_elem"), mov(0, 1), EXIT,
    )


@pytest.mark.parametrize("kind", [MapType.HASH, MapType.LRU_HASH, MapType.PERCPU_HASH])
def test_hash_counts(machine, kind):
    m = machine(spec(program(*counter()), maps=(MapSpec("m", kind, 4, 8, 10),)), cpus=2)
    assert [m.run(data=FRAME).retval for _ in range(3)] == [1, 2, 2]
    m.run(data=FRAME, cpu=1)
    if kind == MapType.PERCPU_HASH:
        assert m.maps["m"][7] == [3, 1]
        assert m.maps["m"][7].sum() == 4
    else:
        assert dict(m.maps["m"]) == {7: 4}
    with pytest.raises(KeyMissing):
        m.maps["m"][8]
    del m.maps["m"][7]
    assert m.run(data=FRAME).retval == 1
    assert m.run(data=FRAME, repeat=5).maps["m"] is m.maps["m"]


def test_array(machine):
    m = machine(spec(program(*counter()), maps=(MapSpec("m", MapType.ARRAY, 4, 8, 8),)))
    assert m.run(data=FRAME).retval == 2  # elements exist from the start
    assert list(m.maps["m"].values()) == [0] * 7 + [1]
    with pytest.raises(KernelError) as caught:
        m.maps["m"][8] = 1
    assert caught.value.errno == errno.E2BIG


def test_value_bounds(machine):
    body = (*counter()[:5], jump(op.JEQ, 0, 0, 1), load(4, 0, 0, 6), EXIT)
    m = machine(spec(program(*body), maps=(MapSpec("m", MapType.ARRAY, 4, 8, 8),)))
    with pytest.raises(VmFault, match="offset 6 is outside value of m of 8 bytes"):
        m.run(data=FRAME)


def test_fault_names_the_source_line(machine):
    lines = (Line(0, "prog.py", 10, 1, "a"), Line(2, "prog.py", 11, 5, "v.total += 1"))
    m = machine(spec(program(mov(1, 0), mov(0, 0), load(8, 0, 1), EXIT, lines=lines)))
    with pytest.raises(VmFault, match=r"prog.py:11:5: read of 8 bytes through a null pointer \(insn 2\)") as caught:
        m.run(data=FRAME)
    assert (caught.value.pc, caught.value.span.line) == (2, 11)


def test_fault_in_a_subprogram(machine):
    sub = FuncSpec("sub", (mov_r(0, 1), load(8, 0, 0), EXIT), (Line(1, "sub.py", 3, 1, "x"),))
    m = machine(spec(program(mov(1, 0), call_to("sub"), EXIT), functions=(sub,)))
    with pytest.raises(VmFault, match="sub.py:3") as caught:
        m.run(data=FRAME)
    assert caught.value.pc == 4


def test_globals(machine):
    data = (DataSpec(".data", (5).to_bytes(8, "little"), (VarSpec("limit", 0, 8),)),
            DataSpec(".bss", bytes(16), (VarSpec("a", 0, 4), VarSpec("b", 8, 8))),
            DataSpec(".rodata", b"\x03\0\0\0", (VarSpec("step", 0, 4),)))
    body = (data_ref(1, ".data"), load(8, 2, 1), data_ref(1, ".rodata"), load(4, 3, 1), alu_r(op.ADD, 2, 3),
            data_ref(1, ".bss", 8), store(8, 1, 2), mov_r(0, 2), EXIT)
    m = machine(spec(program(*body), data=data))
    assert m.run(data=FRAME).retval == 8
    assert m.vars["b"] == 8 and m.vars["a"] == 0
    m.vars["limit"] = 100
    m.vars["step"] = 1
    assert m.run(data=FRAME).retval == 101
    assert m.maps[".bss"].engine.get(bytes(4)) == bytes(8) + (101).to_bytes(8, "little")
    wrong = machine(spec(program(data_ref(1, ".rodata"), store_imm(4, 1, 1), mov(0, 0), EXIT), data=data))
    with pytest.raises(VmFault, match="read-only"):
        wrong.run(data=FRAME)


def test_xdp_packet(machine):
    body = (load(4, 2, 1, 0), load(4, 3, 1, 4), mov_r(4, 2), alu(op.ADD, 4, 14), mov(0, 0), jump_r(op.JGT, 4, 3, 3),
            load(1, 0, 2, 12), store_imm(1, 2, 0x99, 13), alu_r(op.SUB, 3, 2), alu_r(op.ADD, 0, 3), EXIT)
    result = machine(spec(program(*body))).run(data=FRAME)
    assert result.retval == 8 + len(FRAME)
    assert result.data == FRAME[:13] + b"\x99" + FRAME[14:]
    assert result.ctx[4:8] == len(FRAME).to_bytes(4, "little")


@pytest.mark.parametrize("off", [-1, len(FRAME), len(FRAME) - 3])
def test_packet_bounds(machine, off):
    m = machine(spec(program(load(4, 2, 1, 0), load(4, 0, 2, off), EXIT)))
    with pytest.raises(VmFault, match="packet|no memory"):
        m.run(data=FRAME)


def test_context_is_guarded(machine):
    for bad in (load(8, 0, 1, 0), load(2, 0, 1, 0), load(4, 0, 1, 24), load(4, 0, 1, 2), store_imm(4, 1, 0, 12)):
        with pytest.raises(VmFault, match="context"):
            machine(spec(program(bad, mov(0, 0), EXIT))).run(data=FRAME)


def test_skb(machine):
    body = (load(4, 0, 1, 16), load(4, 2, 1, 0), alu(op.LSH, 2, 16), alu_r(op.OR, 0, 2), store_imm(4, 1, 77, 8),
            store_imm(4, 1, 5, 52), EXIT)
    result = machine(spec(program(*body, kind=ProgType.SCHED_CLS))).run(data=FRAME)
    assert result.retval == 8 | len(FRAME) << 16  # protocol as in memory, in network order
    assert result.ctx[8:12] == (77).to_bytes(4, "little")
    assert result.ctx[52:56] == (5).to_bytes(4, "little")
    given = bytearray(192)
    given[8:12] = (3).to_bytes(4, "little")
    m = machine(spec(program(load(4, 0, 1, 8), EXIT, kind=ProgType.SCHED_CLS)))
    assert m.run(data=FRAME, ctx=bytes(given)).retval == 3
    given[0] = 1
    with pytest.raises(KernelError):
        m.run(data=FRAME, ctx=bytes(given))
    with pytest.raises(KernelError):
        m.run(data=b"short")


def test_packet_moves(machine):
    body = (mov_r(6, 1), mov(2, -8), helper("xdp_adjust_head"), load(4, 2, 6, 0), store_imm(8, 2, -1), mov_r(1, 6),
            mov(2, -4), helper("xdp_adjust_tail"), mov(0, 2), EXIT)
    result = machine(spec(program(*body))).run(data=FRAME)
    assert result.data == b"\xff" * 8 + FRAME[:-4]
    stale = (mov_r(6, 1), load(4, 7, 1, 0), mov(2, -8), helper("xdp_adjust_head"), load(1, 0, 7), EXIT)
    with pytest.raises(VmFault, match="no memory"):
        machine(spec(program(*stale))).run(data=FRAME)


def test_subprograms(machine):
    twice = FuncSpec("twice", (mov_r(0, 1), alu_r(op.ADD, 0, 1), EXIT))
    four = FuncSpec("four", (call_to("twice"), mov_r(1, 0), call_to("twice"), EXIT))
    m = machine(spec(program(mov(1, 5), call_to("four"), EXIT), functions=(four, twice)))
    assert m.run(data=FRAME).retval == 20


def test_bpf_loop_and_for_each(machine):
    add = FuncSpec("add", (load(8, 3, 2), alu_r(op.ADD, 3, 1), store(8, 2, 3), mov(0, 0), jump(op.JNE, 1, 4, 1), mov(0, 1), EXIT))
    body = (store_imm(8, 10, 0, -8), mov(1, 100), func_ref(2, "add"), mov_r(3, 10), alu(op.ADD, 3, -8), mov(4, 0),
            helper("loop"), load(8, 1, 10, -8), alu(op.LSH, 0, 8), alu_r(op.OR, 0, 1), EXIT)
    m = machine(spec(program(*body), functions=(add,)))
    assert m.run(data=FRAME).retval == 5 << 8 | 0 + 1 + 2 + 3 + 4
    # for_each: callback(map, key, value, ctx)
    total = FuncSpec("total", (load(8, 5, 3), load(8, 1, 4), alu_r(op.ADD, 1, 5), store(8, 4, 1), mov(0, 0), EXIT))
    body = (store_imm(8, 10, 0, -8), map_ref(1, "m"), func_ref(2, "total"), mov_r(3, 10), alu(op.ADD, 3, -8), mov(4, 0),
            helper("for_each_map_elem"), load(8, 0, 10, -8), EXIT)
    m = machine(spec(program(*body), functions=(total,), maps=(MapSpec("m", MapType.HASH, 4, 8, 9),)))
    m.maps["m"].update({1: 10, 2: 20, 3: 30})
    assert m.run(data=FRAME).retval == 60


def test_tail_calls(machine):
    array = MapSpec("jt", MapType.PROG_ARRAY, 4, 4, 4, contents=((b"\1\0\0\0", "two"), (b"\2\0\0\0", "one")))
    one = program(map_ref(2, "jt"), mov(3, 1), helper("tail_call"), mov(0, 1), EXIT, name="one")
    two = program(mov(0, 2), EXIT, name="two")
    m = machine(spec(one, two, maps=(array,)))
    assert m.run("one", FRAME).retval == 2
    del m.maps["jt"][1]
    assert m.run("one", FRAME).retval == 1
    # a program that calls itself: 33 times, then it goes on
    count = DataSpec(".bss", bytes(8), (VarSpec("n", 0, 8),))
    again = program(data_ref(2, ".bss"), load(8, 3, 2), alu(op.ADD, 3, 1), store(8, 2, 3), map_ref(2, "jt"), mov(3, 2),
                    helper("tail_call"), mov(0, 9), EXIT, name="one")
    m = machine(spec(again, two, maps=(array,), data=(count,)))
    assert m.run("one", FRAME).retval == 9
    assert m.vars["n"] == 34


def test_ring_buffer(machine):
    ring = MapSpec("rb", MapType.RINGBUF, 0, 0, 4096)
    body = (map_ref(1, "rb"), mov(2, 8), mov(3, 0), helper("ringbuf_reserve"), jump(op.JEQ, 0, 0, 4),
            store_imm(8, 0, 0x1234), mov_r(1, 0), mov(2, 0), helper("ringbuf_submit"),
            store_imm(4, 10, 9, -4), map_ref(1, "rb"), mov_r(2, 10), alu(op.ADD, 2, -4), mov(3, 4), mov(4, 0),
            helper("ringbuf_output"), EXIT)
    m = machine(spec(program(*body), maps=(ring,)))
    assert m.run(data=FRAME).retval == 0
    assert m.maps["rb"].records() == [(0x1234).to_bytes(8, "little"), (9).to_bytes(4, "little")]
    assert m.maps["rb"].records() == []
    full = [m.run(data=FRAME).retval for _ in range(200)]
    assert full[-1] == -errno.EAGAIN & 0xFFFFFFFF
    assert len(m.maps["rb"].records()) == 4096 // 16 - 1
    leak = machine(spec(program(*body[:4], mov(0, 0), EXIT), maps=(ring,)))
    with pytest.raises(VmFault, match="neither submitted"):
        leak.run(data=FRAME)


def test_map_of_maps(machine):
    inner = MapSpec("inner", MapType.ARRAY, 4, 8, 4)
    outer = MapSpec("outer", MapType.ARRAY_OF_MAPS, 4, 4, 4, inner=inner, contents=((b"\1\0\0\0", "a"),))
    body = (store_imm(4, 10, 1, -4), mov_r(2, 10), alu(op.ADD, 2, -4), map_ref(1, "outer"), helper("map_lookup_elem"),
            jump(op.JEQ, 0, 0, 8), mov_r(1, 0), mov_r(2, 10), alu(op.ADD, 2, -4), helper("map_lookup_elem"),
            jump(op.JEQ, 0, 0, 3), load(8, 0, 0), EXIT, goto(0), mov(0, 99), EXIT)
    m = machine(spec(program(*body), maps=(outer, inner._replace(name="a"))))
    m.maps["a"][1] = 42
    assert m.run(data=FRAME).retval == 42
    assert m.maps["outer"][1] is m.maps["a"]
    fresh = m.new_map(inner)
    fresh[1] = 43
    m.maps["outer"][1] = fresh
    assert m.run(data=FRAME).retval == 43
    with pytest.raises(KernelError):
        m.maps["outer"][2] = m.new_map(inner._replace(value_size=4))


def test_printk_and_identity(machine):
    text = b"pid %d %s %x\n\0"
    section = DataSpec(".rodata", text + b"who\0", (VarSpec("fmt", 0, len(text)),))
    body = (helper("get_current_pid_tgid"), alu(op.RSH, 0, 32), mov_r(3, 0), data_ref(4, ".rodata", len(text)),
            mov(5, 255), data_ref(1, ".rodata"), mov(2, len(text)), helper("trace_printk"), EXIT)
    m = machine(spec(program(*body), data=(section,)), process=Process(12, 34))
    assert m.run(data=FRAME).retval == len("pid 34 who ff\n")
    assert m.trace == ["pid 34 who ff"]


def test_tracepoint_and_raw_arguments(machine):
    event = bytes(range(64))
    m = machine(spec(program(load(8, 0, 1, 16), EXIT, kind=ProgType.TRACEPOINT)))
    assert m.run(ctx=event).retval == int.from_bytes(event[16:20], "little")
    with pytest.raises(VmFault, match="outside context"):
        m.run(ctx=event[:20])
    wrong = machine(spec(program(store_imm(8, 1, 0), mov(0, 0), EXIT, kind=ProgType.TRACEPOINT)))
    with pytest.raises(VmFault, match="read-only"):
        wrong.run(ctx=event)
    body = (mov_r(6, 1), mov_r(1, 10), alu(op.ADD, 1, -16), mov(2, 16), load(8, 3, 6, 8), helper("probe_read_user_str"),
            load(1, 1, 10, -15), alu(op.LSH, 1, 8), alu_r(op.OR, 0, 1), EXIT)
    m = machine(spec(program(*body, kind=ProgType.RAW_TRACEPOINT)))
    assert m.run(ctx=[1, b"/etc/passwd\0"]).retval == 12 | ord("e") << 8
    assert m.run(ctx=[1, 0xFFFF888000000000]).retval == -errno.EFAULT & 0xFFFFFFFF


def test_syscall_programs_write_their_context(machine):
    m = machine(spec(program(store_imm(4, 1, 7, 4), mov(0, 0), EXIT, kind=ProgType.SYSCALL)))
    assert m.run(ctx=bytes(8)).ctx == bytes(4) + b"\7\0\0\0"


def test_clear_errors(machine):
    two = spec(program(mov(0, 0), EXIT, name="a"), program(mov(0, 0), EXIT, name="b"))
    with pytest.raises(FormatError, match="which program"):
        machine(two).run()
    with pytest.raises(FormatError, match="no program 'c'"):
        machine(two).run("c")
    with pytest.raises(FormatError, match="lacks"):
        machine(spec(program(map_ref(1, "gone"), mov(0, 0), EXIT))).run(data=FRAME)
    with pytest.raises(VmFault, match="sk_assign.* does not exist in the VM"):
        machine(spec(program(helper("sk_assign"), EXIT))).run(data=FRAME)
    storage = MapSpec("s", MapType.SK_STORAGE, 4, 8, 0)
    with pytest.raises(VmFault, match="type 24 does not exist"):
        machine(spec(program(*counter()[:2], alu(op.ADD, 2, -4), map_ref(1, "s"), helper("map_lookup_elem"), EXIT),
                     maps=(storage,))).run(data=FRAME)
    with pytest.raises(ValueError, match="engine"):
        Machine(two, engine="quick")


def test_clock_and_random(machine):
    m = machine(spec(program(helper("ktime_get_ns"), EXIT)), now=12345)
    assert m.run(data=FRAME).retval == 12345
    ticks = iter(range(100))
    m = machine(spec(program(helper("ktime_get_ns"), EXIT)), now=lambda: next(ticks))
    assert [m.run(data=FRAME).retval for _ in range(3)] == [0, 1, 2]
    draws = [machine(spec(program(helper("get_prandom_u32"), EXIT)), seed=5).run(data=FRAME).retval for _ in range(2)]
    assert draws[0] == draws[1]


def test_a_declaration_is_no_name() -> None:
    import purebpf as bpf

    counts = bpf.HashMap[bpf.u32, bpf.u32](max_entries=4)
    with pytest.raises(TypeError, match="by name"):
        Machine(ObjectSpec({}))[counts]
