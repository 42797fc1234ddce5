"""Random IR modules, as they are and optimised: generated code in the VM does what the interpreter does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from purebpf.codegen import generate
from purebpf.errors import VmFault
from purebpf.ir import text
from purebpf.ir.function import Module
from purebpf.ir.ops import M64, signed
from purebpf.opt import optimize
from purebpf.spec import link
from purebpf.vm.code import Code
from purebpf.vm.engines import engine_named
from purebpf.vm.runtime import Runtime

from .strategies_ir import SIZE, behave, modules, words

COMMON = dict(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(module: Module, cpu: int, a: int, b: int) -> object:
    """What `strategies_ir.behave` sees of f(a, b, …), in the VM."""
    trace: list[object] = []

    def constant(rt: Runtime, *args: int) -> int:
        return 0x1234_5678_9ABC

    def peek(rt: Runtime, p: int, n: int, *args: int) -> int:
        trace.append(("peek", signed(n), rt.memory.read(p, 8)))
        return rt.memory.load(p, 4) + n & M64

    def poke(rt: Runtime, p: int, n: int, *args: int) -> int:
        trace.append(("poke", signed(n), rt.memory.read(p, 8)))
        rt.memory.store(p, 8, n * 3 & M64)
        return n + 1 & M64

    def chase(rt: Runtime, box: int, n: int, *args: int) -> int:
        p = rt.memory.load(box, 8)
        rt.memory.store(p, 4, rt.memory.load(p, 4) * 5 + n & 0xFFFFFFFF)
        return rt.memory.load(p + 4, 4)

    specs = {fn.name: generate(fn, cpu=cpu, verify=True) for fn in module.functions.values()}
    runtime = Runtime(engine_named("plain"), {1: constant, 2: peek, 3: poke, 4: chase}, order=module.functions["f"].order)
    program = runtime.add(Code(list(link(specs["f"], specs).insns)))
    packet, value = bytearray(range(1, SIZE + 1)), bytearray(SIZE)
    places = [runtime.memory.map(data, "memory").base for data in (packet, value)]
    try:
        result = runtime.run(program, a & M64, b & M64, *places)
    except VmFault as fault:
        assume("is not aligned" not in fault.message)  # atomics: the interpreter does not mind
        raise
    return signed(result), bytes(packet), bytes(value), trace


@pytest.mark.parametrize("cpu", (1, 3, 4))
@given(modules, words, words)
@settings(max_examples=30, **COMMON)
def test_as_it_is(cpu: int, module: Module, a: int, b: int) -> None:
    expected = behave(module, a, b)
    optimize(module, level=0)
    assert run(module, cpu, a, b) == expected, text.print_module(module)


@pytest.mark.parametrize("cpu", (2, 3, 4))
@given(modules, words, words)
@settings(max_examples=30, **COMMON)
def test_optimised(cpu: int, module: Module, a: int, b: int) -> None:
    before = text.print_module(module)
    expected = behave(module, a, b)
    optimize(module)
    assert run(module, cpu, a, b) == expected, before + "\n--- optimised\n" + text.print_module(module)
