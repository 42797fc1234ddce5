"""Emission: symbols stay symbols, every instruction has a line, far jumps arrive."""

from __future__ import annotations

import pytest

from purebpf.codegen import emit, generate, layout, regalloc, stack
from purebpf.codegen.generate import prepare
from purebpf.codegen.isel import select
from purebpf.codegen.tidy import tidy
from purebpf.errors import Span
from purebpf.ir.function import Function
from purebpf.ir.text import parse
from purebpf.isa import CoreRef, DataRef, FuncRef, KfuncRef, MapRef, encode
from purebpf.isa.opcodes import JA, JMP32
from purebpf.spec import Line

from .pressure import make
from .running import executed, interpreted, memory


REACH = 120


def function(text: str) -> Function:
    return next(iter(parse(text).functions.values()))


REFERENCES = """
func @f(%c: ptr.ctx) -> i64 {
entry:
  %m = mapaddr @m : ptr.map
  %d = dataaddr @x .bss + 8 : ptr.data
  %x = load.u64 %d
  %k = kfunc @bpf_k(%m) : i64
  %g = call @g(%m, %k) : i64
  %s = add %x, %g
  ret %s
}
"""


def test_references_are_symbolic() -> None:
    spec = generate(function(REFERENCES.replace("dataaddr @x .bss + 8", data_syntax())))
    refs = [i.ref for i in spec.insns if i.ref is not None]
    assert set(refs) == {MapRef("m"), DataRef(".bss", 8, "x"), KfuncRef("bpf_k"), FuncRef("g")}
    for insn in spec.insns:
        if isinstance(insn.ref, (KfuncRef, FuncRef)):
            assert insn.imm == -1


def data_syntax() -> str:
    from purebpf.ir.builder import Builder
    from purebpf.ir.ops import Data
    from purebpf.ir.text import print_function
    from purebpf.ir.types import PTR

    fn = Function("f")
    b = Builder(fn)
    b.place(b.new_block("entry"))
    b.ret(b.load(b.op("dataaddr", type=PTR["data"], attr=Data(".bss", 8, "x")), 8))
    line = next(x for x in print_function(fn).splitlines() if "dataaddr" in x)
    return line.split(" = ")[1].rsplit(" :", 1)[0]


def test_core_relocations_keep_the_local_value() -> None:
    from purebpf.ir.builder import Builder
    from purebpf.ir.function import Param
    from purebpf.ir.ops import Core, CoreConst, Mem
    from purebpf.ir.types import I64, PTR

    fn = Function("f")
    b = Builder(fn)
    task = Param(PTR["kernel"])
    b.place(b.new_block("entry", [task]))
    at = b.op("ptradd", task, 16)
    x = b.op("load", at, type=I64, attr=Mem(4, 24, core=Core(7, "0:3", 0)))
    size = b.op("core", attr=CoreConst(Core(7, "0", 8), 128))
    b.ret(b.op("add", x, size))
    insns = generate(fn).insns
    (load,) = [i for i in insns if i.ref == CoreRef(7, "0:3", 0)]
    assert load.off == 24 and load.code == 0x61
    (number,) = [i for i in insns if i.ref == CoreRef(7, "0", 8)]
    assert number.imm == 128


def test_lines_cover_every_instruction_from_the_first() -> None:
    fn = function("func @f(%a: i64) -> i64 {\nentry:\n  %x = mul %a, 3\n  %y = add %x, 5\n  ret %y\n}\n")
    for n, op in enumerate(fn.ops()):
        op.span = Span("p.py", 10 + n, 4)
    fn.span = Span("p.py", 9)
    fn.btf_id, fn.static = 5, False
    spec = generate(fn, line_text=lambda file, line: f"{file} line {line}")
    assert spec.lines[0] == Line(0, "p.py", 9, 1, "p.py line 9") or spec.lines[0].insn == 0
    assert [line.line for line in spec.lines][-1] == 12
    assert all(line.col == 5 and line.text == f"p.py line {line.line}" for line in spec.lines if line.line > 9)
    assert [line.insn for line in spec.lines] == sorted({line.insn for line in spec.lines})
    assert spec.btf_id == 5 and not spec.static and spec.name == "f"


def test_no_spans_no_lines() -> None:
    assert generate(function("func @f() -> i64 {\nentry:\n  ret 1\n}\n")).lines == ()


@pytest.mark.parametrize("cpu", (3, 4))
@pytest.mark.parametrize("seed", range(6))
def test_far_jumps(seed: int, cpu: int) -> None:
    """With a reach of 120 slots instead of 32,760: islands, or gotol on v4."""
    module, data = make(seed, 300), memory(seed)
    mf = select(module.functions["f"], cpu)
    prepare(mf)
    regalloc.allocate(mf)
    tidy(mf)
    offsets = stack.frame(mf, None)
    insns = emit.instructions(emit.emit(mf, layout.arrange(mf), offsets, reach=REACH))
    assert encode(list(insns))
    far = [i for i in insns if i.code == JMP32 | JA]
    near = [i for i in insns if i.code & 7 in (5, 6) and i not in far]
    assert all(-REACH <= i.off <= REACH for i in near)
    assert bool(far) == (cpu == 4)
    assert executed(insns, data) == interpreted(module, data)


def test_generation_depends_on_the_function_only() -> None:
    assert generate(make(7, 100).functions["f"]).insns == generate(make(7, 100).functions["f"]).insns
