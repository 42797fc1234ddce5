"""The whole compile flow on one screen: programs in, ObjectSpec out.

    frontend (Python -> tree) -> lower (tree -> IR) -> opt (IR -> better IR) -> codegen (IR -> instructions) -> ObjectSpec
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from .btf.container import collector_paused
from .codegen import generate
from .dsl.hooks import Program
from .frontend import Unit, check_programs, forms
from .ir.function import Module
from .lower import Lowered
from .opt import optimize
from .spec import ObjectSpec, ProgramSpec
from .target import OLDEST, Needs, Target
from .uapi import hooks, versions

if TYPE_CHECKING:
    from .btf import Btf
    from .frontend.hook import TracepointFormat
    from .frontend.hooknames import HookNames


class Options(NamedTuple):
    """How to compile. `target`: what for; `level`: 0 to switch the
    optimiser off; `verify`: check the IR between passes, and what
    codegen makes of it; `btf`, `formats`, `hooks`: where facts about the target kernel come from (its BTF, then its
    modules'; tracepoint formats; names of hooks), asked only if a program needs them; without `hooks` what a program says of
    the kernel is taken as it says it; `observe(pass, module)` sees every step."""

    license: str = "GPL"
    target: Target = OLDEST
    level: int = 2
    verify: bool = False
    btf: Callable[[], Iterable[Btf]] | None = None
    formats: TracepointFormat | None = None
    hooks: HookNames | None = None
    observe: Callable[[str, Module], None] | None = None


class Compiled(NamedTuple):
    """The object, which declaration became what name in it, and what it asks of a kernel."""

    spec: ObjectSpec
    names: dict[Any, str]
    needs: Needs


def compile(programs: Sequence[Program[..., Any]], options: Options | None = None, name: str = "purebpf") -> Compiled:
    """Compile programs and everything they reach into one object. Raises CompileError."""
    options = options or Options()
    with deep(), collector_paused():
        return _compile(programs, options, name)


def _compile(programs: Sequence[Program[..., Any]], options: Options, name: str) -> Compiled:
    given = {program.at(hooks.placed(program.section, options.target.lacks)): program for program in programs}
    unit, lowered, entries = to_ir(list(given), options)
    if options.observe:
        options.observe("frontend", lowered.module)
    optimize(lowered.module, level=options.level, verify=options.verify, observe=options.observe)
    names = {**unit.names(), **{given.get(program, program): entry for program, entry in entries.items()}}
    return Compiled(_object(lowered, entries, options, name, options.target.kernel or unit.needs.oldest()), names, unit.needs)


DEEP = 20_000  # a program of so many arms, each in the last one's "else", is walked to its end


@contextmanager
def deep() -> Iterator[None]:
    """More calls in calls than Python lets run by itself: an `elif` is one deeper than the `if` before it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def to_tree(programs: Sequence[Program[..., Any]], options: Options | None = None) -> Unit:
    """The first step: the checked tree (`unit.programs`, in the order of `unit.entries`). Raises CompileError."""
    options = options or Options()
    return check_programs(programs, license=options.license, kernel=options.btf or running_kernel,
                          formats=options.formats or (lambda category, name: None), hooks=options.hooks, target=options.target)


def to_ir(programs: Sequence[Program[..., Any]], options: Options | None = None) -> tuple[Unit, Lowered, dict[Program[..., Any], str]]:
    """The first half: what was checked, what it was lowered to, and the name of each program. Raises CompileError."""
    unit = to_tree(programs, options)
    lowered = Lowered(unit.maps, forms.choose(unit), unit.target.order)
    return unit, lowered, {program: lowered.program(tree) for program, tree in zip(unit.entries, unit.programs)}


def _object(lowered: Lowered, programs: dict[Program[..., Any], str], options: Options, name: str, kernel: str) -> ObjectSpec:
    functions = {fn.name: generate(fn, cpu=options.target.cpu, line_text=_line, verify=options.verify,
                                   falls_back=versions.has(kernel, versions.feature("back_edge_falls")))
                 for fn in lowered.module.functions.values()}
    entries = {}
    for program, entry in programs.items():
        hook = hooks.match(program.section)
        assert hook is not None  # the frontend refused it otherwise
        entries[entry] = ProgramSpec(
            functions.pop(entry), program.section, hook.prog_type, hook.attach_type,
            hooks.target(program.section), hook.flags, hooks.autoload(program.section))
    maps, data = lowered.map_specs(programs), lowered.data.specs()
    return ObjectSpec(entries, functions, maps, data, options.license, lowered.types.finish(), name, options.target.order.name)


def _line(file: str, line: int) -> str:
    return linecache.getline(file, line).rstrip("\n")


def running_kernel() -> Iterator[Btf]:
    """BTF of the kernel this runs on, then of its modules, opened as they are asked for; none where there is none to see."""
    from .btf import kernel
    from .errors import PureBpfError

    try:
        vmlinux = kernel.vmlinux()
    except (PureBpfError, OSError):
        return
    yield vmlinux
    for name in kernel.modules():
        try:
            yield kernel.module(name, vmlinux)
        except (PureBpfError, OSError):
            continue
