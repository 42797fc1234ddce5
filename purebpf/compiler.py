"""The whole compile flow on one screen: programs in, ObjectSpec out.

    frontend (Python -> IR) -> opt (IR -> better IR) -> codegen (IR -> instructions) -> ObjectSpec
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .codegen import generate
from .dsl.hooks import Program
from .frontend import Unit, compile_programs
from .ir.function import Module
from .opt import optimize
from .spec import ObjectSpec, ProgramSpec
from .uapi import hooks

if TYPE_CHECKING:
    from .btf import Btf
    from .frontend.hook import TracepointFormat


class Options(NamedTuple):
    """How to compile. `cpu`: instruction set version 1 to 4 (3 runs on Linux 5.10 and later); `level`: 0 to switch the
    optimiser off; `verify`: check the IR between passes, and what
    codegen makes of it; `kernel`, `formats`: where facts about the target kernel come
    from (its BTF, tracepoint formats), asked only if a program needs them; `observe(pass, module)` sees every step."""

    license: str = "GPL"
    cpu: int = 3
    level: int = 2
    verify: bool = False
    kernel: Callable[[], Btf | None] | None = None
    formats: TracepointFormat | None = None
    observe: Callable[[str, Module], None] | None = None


class Compiled(NamedTuple):
    """The object, and which declaration became what name in it."""

    spec: ObjectSpec
    names: dict[Any, str]


def compile(programs: Sequence[Program[..., Any]], options: Options | None = None, name: str = "purebpf") -> Compiled:
    """Compile programs and everything they reach into one object. Raises CompileError."""
    options = options or Options()
    unit = compile_programs(programs, license=options.license, kernel=options.kernel or running_kernel,
                            formats=options.formats or (lambda category, name: None))
    if options.observe:
        options.observe("frontend", unit.module)
    optimize(unit.module, level=options.level, verify=options.verify, observe=options.observe)
    return Compiled(_object(unit, programs, options, name), unit.names())


def _object(unit: Unit, programs: Sequence[Program[..., Any]], options: Options, name: str) -> ObjectSpec:
    functions = {fn.name: generate(fn, cpu=options.cpu, line_text=_line, verify=options.verify) for fn in unit.module.functions.values()}
    entries = {}
    for program in programs:
        hook = hooks.match(program.section)
        assert hook is not None  # the frontend refused it otherwise
        entries[program.name] = ProgramSpec(
            functions.pop(program.name), program.section, hook.prog_type, hook.attach_type,
            hooks.target(program.section), hook.flags, hooks.autoload(program.section))
    maps, data = unit.map_specs(), unit.data.specs()
    return ObjectSpec(entries, functions, maps, data, options.license, unit.types.builder.build(), name)


def _line(file: str, line: int) -> str:
    return linecache.getline(file, line).rstrip("\n")


def running_kernel() -> Btf | None:
    """BTF of the kernel this runs on, or None where there is none to see."""
    from .btf import kernel
    from .errors import PureBpfError

    try:
        return kernel.vmlinux()
    except (PureBpfError, OSError):
        return None
