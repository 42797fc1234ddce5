"""Objects written by hand for tests: assembly text with symbols.

    r1 = map:counts        the address of a map
    r1 = data:.bss+8       an address in a data section
    call func:helper       a subprogram of the object
    r2 = func:callback     its address
    call kfunc:name        a kernel function
"""

from __future__ import annotations

import re

from purebpf.isa import DataRef, FuncRef, Insn, KfuncRef, KsymRef, MapRef, assemble, decode
from purebpf.isa.opcodes import CALL, IMM64_FUNC, JMP
from purebpf.spec import DataSpec, FuncSpec, Line, MapSpec, ObjectSpec, ProgramSpec
from purebpf.uapi import hooks
from purebpf.uapi.helpers import IDS

_LOAD = re.compile(r"r(\d+) = (map|data|func|ksym):(\S+)")
_CALL = re.compile(r"call (func|kfunc):(\S+)")
_MARK = 0x7E570000_00000000


def code(text: str) -> tuple[Insn, ...]:
    """Assemble with symbols as references."""
    refs: list[object] = []

    def load(m: re.Match[str]) -> str:
        kind, name = m[2], m[3]
        section, _, offset = name.partition("+")
        refs.append({"map": MapRef(name), "data": DataRef(section, int(offset or 0)), "func": FuncRef(name),
                     "ksym": KsymRef(name)}[kind])
        return f"r{m[1]} = {_MARK + len(refs) - 1:#x} ll"

    def call(m: re.Match[str]) -> str:
        refs.append(FuncRef(m[2]) if m[1] == "func" else KfuncRef(m[2]))
        return f"call {0x7E570000 + len(refs) - 1}"

    plain = _CALL.sub(call, _LOAD.sub(load, text))
    out = []
    for insn in decode(assemble(plain, helpers=IDS)):
        index = insn.imm - _MARK
        if insn.slots == 2 and 0 <= index < len(refs):
            ref = refs[index]
            insn = insn._replace(imm=0, src=IMM64_FUNC if isinstance(ref, FuncRef) else 0, ref=ref)
        elif insn.code == JMP | CALL and 0 <= insn.imm - 0x7E570000 < len(refs):
            ref = refs[insn.imm - 0x7E570000]
            insn = insn._replace(imm=-1, src=1 if isinstance(ref, FuncRef) else 2, ref=ref)
        out.append(insn)
    return tuple(out)


def func(name: str, text: str, *, file: str = "", btf_id: int = 0) -> FuncSpec:
    """`file`: each assembly line is a source line of this file."""
    lines = ()
    insns = code(text)
    if file:
        source = [s for s in text.splitlines() if s.strip()]
        lines = tuple(Line(n, file, n + 1, len(s) - len(s.lstrip()) + 1, s) for n, s in enumerate(source) if n < len(insns))
    return FuncSpec(name, insns, lines, btf_id)


def program(section: str, text: str, name: str = "prog", **options: object) -> ProgramSpec:
    hook = hooks.match(section)
    assert hook is not None, section
    return ProgramSpec(func(name, text, **options), section, hook.prog_type, hook.attach_type, hooks.target(section),
                       hook.flags)


def obj(section: str, text: str, *, maps: tuple[MapSpec, ...] = (), data: tuple[DataSpec, ...] = (),
        functions: dict[str, str] | None = None, license: str = "GPL", **options: object) -> ObjectSpec:
    """An object of one program named "prog"."""
    subs = {n: func(n, t) for n, t in (functions or {}).items()}
    return ObjectSpec({"prog": program(section, text, **options)}, subs, {m.name: m for m in maps},
                      {d.name: d for d in data}, license)
