"""The whole compile flow on one screen: programs in, ObjectSpec out.

    frontend (Python -> tree) -> lower (tree -> IR) -> opt (IR -> better IR) -> codegen (IR -> instructions) -> ObjectSpec
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .codegen import generate
from .dsl.hooks import Program
from .frontend import Unit, check_programs
from .ir.function import Module
from .lower import Lowered
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
    unit, lowered, entries = to_ir(programs, options)
    if options.observe:
        options.observe("frontend", lowered.module)
    optimize(lowered.module, level=options.level, verify=options.verify, observe=options.observe)
    return Compiled(_object(lowered, entries, options, name), {**unit.names(), **entries})


def to_ir(programs: Sequence[Program[..., Any]], options: Options | None = None) -> tuple[Unit, Lowered, dict[Program[..., Any], str]]:
    """The first half: what was checked, what it was lowered to, and the name of each program. Raises CompileError."""
    options = options or Options()
    unit = check_programs(programs, license=options.license, kernel=options.kernel or running_kernel,
                          formats=options.formats or (lambda category, name: None))
    lowered = Lowered(unit.maps)
    return unit, lowered, {program: lowered.program(tree) for program, tree in zip(unit.entries, unit.programs)}


def _object(lowered: Lowered, programs: dict[Program[..., Any], str], options: Options, name: str) -> ObjectSpec:
    functions = {fn.name: generate(fn, cpu=options.cpu, line_text=_line, verify=options.verify)
                 for fn in lowered.module.functions.values()}
    entries = {}
    for program, entry in programs.items():
        hook = hooks.match(program.section)
        assert hook is not None  # the frontend refused it otherwise
        entries[entry] = ProgramSpec(
            functions.pop(entry), program.section, hook.prog_type, hook.attach_type,
            hooks.target(program.section), hook.flags, hooks.autoload(program.section))
    maps, data = lowered.map_specs(programs), lowered.data.specs()
    return ObjectSpec(entries, functions, maps, data, options.license, lowered.types.builder.build(), name)


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
