"""The steps of code generation, in order."""

from __future__ import annotations

from ..ir.crash import guard
from ..ir.function import Function
from ..spec import FuncSpec
from . import layout, liveness, regalloc, remat, stack
from .emit import LineText, emit, instructions, lines
from .flow import analyse
from .isel import select
from .mach import MFunc
from .tidy import tidy


def generate(fn: Function, *, cpu: int = 3, line_text: LineText | None = None, verify: bool = False,
             falls_back: bool = True) -> FuncSpec:
    """The instructions of `fn` for BPF cpu version `cpu` (1-4), with symbolic references and line information.

    `line_text(file, line)` gives the text that line information carries. `verify` has register allocation and the finished
    instructions checked independently (InternalError if they are wrong). `falls_back`: as of `layout.arrange`. CompileError "stack-too-large" if the frame
    exceeds 512 bytes.
    """
    with guard("codegen", fn):
        mf = select(fn, cpu)
        prepare(mf)
        if verify:
            from . import check, final

            before = check.snapshot(mf)
        regalloc.allocate(mf)
        stack.drop_dead_spills(mf)
        if verify:
            check.check(mf, before)
        tidy(mf)
        offsets = stack.frame(mf, fn.span)
        code = emit(mf, layout.arrange(mf, falls_back), offsets)
        spec = FuncSpec(fn.name, instructions(code), lines(code, fn.span, line_text), fn.btf_id, fn.static)
        if verify:
            final.check(spec, code)
        return spec


def prepare(mf: MFunc) -> None:
    """Everything between selection and allocation: numbering, definitions of constants, pointers into the frame."""
    flow = analyse(mf)
    liveness.drop_dead(mf)
    remat.place(mf, flow)
    stack.mark(mf)
