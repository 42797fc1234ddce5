"""Generated code in the VM, IR in the interpreter: what both must agree on."""

from __future__ import annotations

from random import Random

from purebpf.codegen import generate
from purebpf.ir.function import Module
from purebpf.ir.interp import Interp
from purebpf.ir.ops import M64
from purebpf.isa import Insn
from purebpf.spec import link
from purebpf.vm.bare import run

from .pressure import MEMORY, helper

Result = tuple[int, bytes]  # r0 unsigned, memory afterwards


def memory(seed: int) -> bytes:
    return Random(seed).randbytes(MEMORY)


def code(module: Module, cpu: int, name: str = "f") -> tuple[Insn, ...]:
    """`name` and the subprograms it calls, allocation checked."""
    specs = {fn.name: generate(fn, cpu=cpu, verify=True) for fn in module.functions.values()}
    return link(specs[name], specs).insns


def interpreted(module: Module, data: bytes, name: str = "f") -> Result:
    answers = {f"h{n}": (lambda it, *args, n=n: helper(n)(*args)) for n in range(6)}
    interp = Interp(module, helpers=answers)
    base = interp.memory.add(bytearray(data))
    result = interp.run(name, base, len(data)) & M64
    return result, interp.memory.read(base, len(data))


def executed(insns: tuple[Insn, ...], data: bytes) -> Result:
    content = bytearray(data)
    result = run(insns, content, helpers={100 + n: helper(n) for n in range(6)})
    return result, bytes(content)
