"""CO-RE programs read a simulated task_struct, laid out as the object declares it."""

from __future__ import annotations

import pytest

from purebpf import elf
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import VmFault
from purebpf.isa import opcodes as op
from purebpf.isa.insn import CoreRef, Insn
from purebpf.uapi.enums import CoreKind, ProgType
from purebpf.vm import Machine, Process
from tests.vm.asm import ENGINES, EXIT, alu, load, mov, mov_r
from tests.vm.objects import helper, program, spec

ME = Process(pid=101, tgid=100, ppid=55, uid=1000, gid=1001, comm="worker")


@pytest.fixture
def types():
    """A task_struct unlike the kernel's, and credentials as the kernel declares them."""
    b = Builder()
    u32, char = b.add(t.Int("unsigned int", 4)), b.add(t.Int("char", 1, t.SIGNED | t.CHAR))
    task, cred = b.reserve(), b.reserve()
    to_task, to_cred = b.add(t.Ptr(task)), b.add(t.Ptr(cred))
    kuid = b.add(t.Struct("", 4, (t.Member("val", u32, 0),)))
    kuid_t = b.add(t.Typedef("kuid_t", kuid))
    name = b.add(t.Array(char, u32, 16))
    b.set(task, t.Struct("task_struct___mine", 56, (
        t.Member("comm", name, 0), t.Member("real_parent", to_task, 128), t.Member("tgid", u32, 192),
        t.Member("pid", u32, 224), t.Member("cred", to_cred, 256), t.Member("flags", u32, 320, 3),
        t.Member("exit_code", u32, 323, 12), t.Member("stack", to_task, 384))))
    b.set(cred, t.Struct("cred", 16, (t.Member("uid", kuid_t, 0), t.Member("gid", kuid_t, 32))))
    return b.build(), task, cred


def read(dst: int, base: int, ref: CoreRef) -> list[Insn]:
    """dst = a 4- or 8-byte member of the struct at `base`, by probe_read_kernel onto the stack."""
    return [mov_r(3, base), Insn(op.ALU64 | op.ADD, 3, ref=ref), mov_r(1, 10), alu(op.ADD, 1, -8), mov(2, 8),
            helper("probe_read_kernel"), load(8, dst, 10, -8)]


@pytest.mark.parametrize("engine", ENGINES)
def test_chain_of_reads(types, engine):
    btf, task, cred = types

    def run(*insns):
        return Machine(spec(program(*insns, kind=ProgType.RAW_TRACEPOINT), btf=btf), engine=engine, process=ME).run().retval

    def field(number: int, of: int = task) -> CoreRef:
        return CoreRef(of, f"0:{number}", CoreKind.FIELD_BYTE_OFFSET)

    current = [helper("get_current_task"), mov_r(6, 0)]
    low = [alu(op.LSH, 0, 32), alu(op.RSH, 0, 32), EXIT]
    assert run(*current, *read(0, 6, field(3)), *low) == 101
    assert run(*current, *read(7, 6, field(1)), *read(0, 7, field(2)), *low) == 55
    assert run(*current, *read(7, 6, field(4)), *read(0, 7, field(1, cred)), *low) == 1001
    assert run(*current, *read(7, 6, field(7)), mov_r(0, 7), EXIT) == 0  # unknown pointers are null
    assert run(*current, *read(7, 6, field(7)), *read(1, 7, field(2)), EXIT) == -14 & 0xFFFFFFFF
    direct = Insn(op.LDX | op.MEM | op.W, 0, 6, ref=field(2))  # a trusted pointer is read directly
    assert run(*current, direct, EXIT) == 100


def test_flavours_are_not_the_kernel():
    """The plain declaration is the kernel; a flavour's own member is absent, and reaching it a fault."""
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    plain = b.add(t.Struct("task_struct", 16, (t.Member("state", u64, 0), t.Member("pid", u32, 64))))
    old = b.add(t.Struct("task_struct___old", 16, (t.Member("pid", u32, 0), t.Member("state", u32, 32), t.Member("gone", u32, 64))))
    btf = b.build()
    assert plain < old

    def asked(member: int, kind: int) -> int:
        put = Insn(op.ALU64 | op.MOV, 0, ref=CoreRef(old, f"0:{member}", kind))
        return Machine(spec(program(put, EXIT, kind=ProgType.SYSCALL), btf=btf)).run(ctx=bytes(8)).retval

    assert [asked(n, CoreKind.FIELD_EXISTS) for n in range(3)] == [1, 1, 0]
    assert [asked(n, CoreKind.FIELD_BYTE_OFFSET) for n in range(2)] == [8, 0]
    with pytest.raises(VmFault, match="helper 195896080"):
        asked(2, CoreKind.FIELD_BYTE_OFFSET)
    wide = Insn(op.LDX | op.MEM | op.W, 0, 1, ref=CoreRef(old, "0:1", CoreKind.FIELD_BYTE_OFFSET))  # 4 bytes there, 8 here
    one = spec(program(wide, alu(op.RSH, 0, 32), EXIT, kind=ProgType.SYSCALL), btf=btf)
    assert Machine(one).run(ctx=bytes(4) + b"\x07\0\0\0").retval == 7


@pytest.mark.parametrize("engine", ENGINES)
def test_clang_core(clang_object, engine):
    machine = Machine(elf.read(clang_object("core")), engine=engine, process=ME)
    assert machine.run("look", ctx=bytes(16)).retval == 100
    out = machine["out"].value
    assert (out.tgid, out.parent, out.comm) == (100, 55, "worker")
    assert (out.has_none, out.has_pid, out.hash, out.has_nowhere, out.has_struct) == (0, 1, 77, 1, 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_identity(engine):
    one = spec(program(helper("get_current_uid_gid"), EXIT, kind=ProgType.RAW_TRACEPOINT))
    assert Machine(one, engine=engine, process=ME).run().retval == 1000
    comm = (mov_r(1, 10), alu(op.ADD, 1, -8), mov(2, 4), helper("get_current_comm"), load(4, 0, 10, -8), EXIT)
    one = spec(program(*comm, kind=ProgType.RAW_TRACEPOINT))
    assert Machine(one, engine=engine, process=ME).run().retval == int.from_bytes(b"wor\0", "little")
