"""Random functions under register pressure: generated code does what the interpreter does."""

from __future__ import annotations

import pytest

from purebpf import loader
from purebpf.codegen import generate
from purebpf.ir.function import Function, Module
from purebpf.ir.text import parse
from purebpf.spec import MapSpec, ObjectSpec, ProgramSpec

from .pressure import MEMORY, make
from .running import code, executed, interpreted, memory

ENTRY = """
func @prog(%ctx: ptr.ctx) -> i64 {
entry:
  %key = alloca 4 align 4 : ptr.stack
  store.u32 %key, 0
  %m = mapaddr @mem : ptr.map
  %v = helper 1 map_lookup_elem(%m, %key) : ptr.value
  br %v, run, none
run:
  %r = call @f(%v, 64) : i64
  store.u64 %v + 64, %r
  ret 2
none:
  ret 0
}
"""
SIZES = (5, 20, 60, 150)


@pytest.mark.parametrize("cpu", (1, 2, 3, 4))
@pytest.mark.parametrize("size", SIZES)
def test_vm_agrees_with_interpreter(size: int, cpu: int) -> None:
    for seed in range(12):
        module, data = make(seed, size), memory(seed)
        assert executed(code(module, cpu), data) == interpreted(module, data), f"make({seed}, {size})"


def test_pressure_makes_spills_and_fits_the_frame() -> None:
    """The generator does its job: some functions spill, and all that is needed still fits 512 bytes."""
    spills = 0
    for seed in range(20):
        insns = code(make(seed, 150), 3)
        spills += any(i.code == 0x7B and i.dst == 10 for i in insns)
        assert all(i.off >= -512 for i in insns if i.code & 7 in (1, 2, 3) and 10 in (i.dst, i.src))
    assert spills >= 5


@pytest.mark.kernel
@pytest.mark.parametrize("size", (20, 60))
@pytest.mark.parametrize("cpu", (3, 4))
def test_kernel_agrees_with_interpreter(size: int, cpu: int) -> None:
    for seed in range(10):
        module, data = make(seed, size, local=True), memory(seed)
        assert in_kernel(module, cpu, data) == interpreted(module, data), f"make({seed}, {size}, local=True)"


def in_kernel(module: Module, cpu: int, data: bytes) -> tuple[int, bytes]:
    """f(mem, 64) run by the kernel on a map value with `data`."""
    entry: Function = parse(ENTRY).functions["prog"]
    functions = {name: generate(fn, cpu=cpu) for name, fn in module.functions.items()}
    spec = ObjectSpec({"prog": ProgramSpec(generate(entry, cpu=cpu), "xdp", 6)}, functions,
                      {"mem": MapSpec("mem", 2, 4, MEMORY + 8, 1)})
    with loader.load(spec) as k:
        k["mem"][0] = data + bytes(8)
        assert k["prog"].test_run(bytes(64)).retval == 2
        after = bytes(k["mem"][0])
    return int.from_bytes(after[MEMORY:], "little"), after[:MEMORY]


@pytest.mark.kernel
def test_kernel_knows_whose_frame_an_index_leads_to() -> None:
    """The verifier of 6.18 takes `index += r10` in a subprogram for the entry's frame and overlooks the store through it:
    with the addition that way round this function went the wrong way."""
    module, data = make(169, 40, local=True), memory(169)
    assert in_kernel(module, 3, data) == interpreted(module, data)
