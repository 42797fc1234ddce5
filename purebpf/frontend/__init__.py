"""Python source -> IR: syntax trees with spans, types, diagnostics.

Takes captured programs from `dsl`; gives an `ir.Module` for `opt` and `codegen`, and the object's maps, data and BTF for
`spec`. Invariants: compile output depends on the source and the options only; several mistakes are reported in one
CompileError, each with its place; every op carries the span it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..dsl.hooks import Program
from ..errors import CompileError
from .unit import Unit

if TYPE_CHECKING:
    from ..btf import Btf
    from .hook import TracepointFormat


def compile_programs(programs: Sequence[Program[..., Any]], *, license: str = "GPL",
                     kernel: Callable[[], Btf | None] = lambda: None,
                     formats: TracepointFormat = lambda category, name: None) -> Unit:
    """Lower programs and what they reach. `kernel` and `formats` are asked for facts about the running kernel only when
    a program needs them. Raises CompileError with everything that is wrong."""
    unit = Unit(license, kernel, formats)
    for program in programs:
        try:
            unit.functions.program(program)
        except CompileError as error:
            unit.report(error)
    if unit.diagnostics:
        raise CompileError(sorted(unit.diagnostics, key=lambda d: (d.span.file, d.span.line, d.span.col)))
    return unit


__all__ = ["Unit", "compile_programs"]
