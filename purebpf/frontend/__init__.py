"""Python source -> the checked tree: kinds, diagnostics. All diagnostics of the language are made here.

Takes captured programs from `dsl`; gives a `Unit` with the programs' trees for `lower`. Invariants: the result depends on
the source and the options only; several mistakes are reported in one CompileError, each with its place; every node carries
the span it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..dsl.hooks import Program
from ..errors import CompileError
from ..target import OLDEST, Target
from . import (
    agreement, attributes, callbacks, calls, exprs, forms, kfuncs, library, loops, maps, packet, patterns, programs, results, scopes,
    stmts, strings, subscripts,
)
from .hook import FormatField
from .unit import Tables, Unit

if TYPE_CHECKING:
    from ..btf import Btf
    from .hook import TracepointFormat
    from .hooknames import HookNames


def _tables() -> Tables:
    tables = Tables()
    tables.expr, tables.place, tables.attribute = exprs.expr, exprs.place, attributes.attribute
    tables.stmts = {**stmts.STMTS, **loops.LOOPS, **patterns.PATTERNS, **scopes.SCOPES}
    tables.call_value = calls.call_value
    tables.body, tables.assign_name, tables.give_back = stmts.body, stmts.assign_name, results.give_back
    tables.member, tables.for_each, tables.loop = maps.member, callbacks.for_each, callbacks.loop
    tables.release = kfuncs.release
    tables.dict_get, tables.packet_element = subscripts.dict_get, packet.element
    tables.discard, tables.packet_copy = scopes.discard, library.packet_copy
    tables.common_room, tables.roomy = strings.common_room, strings.roomy
    return tables


def check_programs(given: Sequence[Program[..., Any]], *, license: str = "GPL", kernel: Callable[[], Iterable[Btf]] = tuple,
                   formats: TracepointFormat = lambda category, name: None, hooks: HookNames | None = None,
                   target: Target = OLDEST) -> Unit:
    """Check programs and what they reach. `kernel` (its BTF, then that of its modules), `formats` and `hooks` are asked for
    facts about the running kernel only when a program needs them; without `hooks` it is not for any kernel at hand: hooks
    and kernel types are taken as they are declared. Raises CompileError with everything that is wrong."""
    unit = Unit(license, kernel, formats, _tables(), target, hooks)
    for program in given:
        unit.reach(program)
    for program in unit.entries:  # grows while it is walked: programs that are in maps
        try:
            programs.check(unit, program)
        except CompileError as error:
            unit.report(error)
    for unbounded in unit.unbounded if not unit.bounded and not unit.diagnostics else ():
        unit.report(unbounded)
    kernel_types = unit.kernel.types if hooks is not None and unit.claims.types else None
    if kernel_types is not None:
        unit.report_all(agreement.check(unit.claims, kernel_types, unit.sources, unit.hook_names))
    if unit.diagnostics:
        raise CompileError(sorted(unit.diagnostics, key=lambda d: (d.span.file, d.span.line, d.span.col)))
    return unit


__all__ = ["FormatField", "Unit", "check_programs", "forms"]
