"""Objects by hand, for tests of the machine."""

from __future__ import annotations

from purebpf.isa import opcodes as op
from purebpf.isa.insn import DataRef, FuncRef, Insn, MapRef
from purebpf.spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, ProgramSpec
from purebpf.uapi.enums import ProgType
from purebpf.uapi.helpers import IDS


def program(*insns: Insn, name: str = "prog", kind: int = ProgType.XDP, lines: tuple[Line, ...] = ()) -> ProgramSpec:
    return ProgramSpec(FuncSpec(name, insns, lines), "test", kind)


def spec(*programs: ProgramSpec, maps: tuple[MapSpec, ...] = (), functions: tuple[FuncSpec, ...] = (),
         data: tuple[DataSpec, ...] = (), btf=None) -> ObjectSpec:
    return ObjectSpec({p.name: p for p in programs}, {f.name: f for f in functions}, {m.name: m for m in maps},
                      {d.name: d for d in data}, btf=btf)


def map_ref(dst: int, name: str) -> Insn:
    return Insn(op.LD_IMM64, dst, op.IMM64_MAP_FD, ref=MapRef(name))


def data_ref(dst: int, section: str, offset: int = 0) -> Insn:
    return Insn(op.LD_IMM64, dst, op.IMM64_MAP_VALUE, ref=DataRef(section, offset))


def func_ref(dst: int, name: str) -> Insn:
    return Insn(op.LD_IMM64, dst, op.IMM64_FUNC, ref=FuncRef(name))


def helper(name: str) -> Insn:
    return Insn(op.JMP | op.CALL, imm=IDS[name])


def call_to(name: str) -> Insn:
    return Insn(op.JMP | op.CALL, src=op.CALL_LOCAL, imm=-1, ref=FuncRef(name))
