"""Which maps a program may use: asked wherever it uses one, itself or in a function that it calls. The facts: `uapi.mapuse`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..dsl import maps as decl
from ..errors import CompileError, Span
from ..uapi import hooks, mapuse
from ..uapi.enums import ProgType
from . import fields, trust
from .context import Checker

NAMED = {"bpf_spin_lock": "lock", "bpf_res_spin_lock": "lock"}  # in messages
SOME, ALL = "a HashMap, an LruHash and an Array", "a HashMap, an Array and a storage"


def uses(c: Checker, map: decl.Map, node: ast.AST) -> None:
    """The map is used at `node`: an error if the program may not."""
    c.effects.maps.setdefault(map, c.span(node))
    wrong = _wrong(c, map, node)
    if wrong is not None:
        raise wrong


def again(c: Checker, maps: Mapping[decl.Map, Span], node: ast.AST) -> None:
    """A function that uses these is called: it may have been checked for a program of another type."""
    for map, span in maps.items():
        c.effects.maps.setdefault(map, span)
        wrong = _wrong(c, map, node, span)
        if wrong is not None:
            c.unit.report(wrong)


def _wrong(c: Checker, map: decl.Map, node: ast.AST, at: Span | None = None) -> CompileError | None:
    name = type(map).__name__
    notes = ((at, "it is used here"),) if at is not None else ()
    if trust.sleepable(c):
        since = mapuse.in_sleepable(map.map_type)
        if since is None:
            return c.error("program-type", f"a {name} cannot be used in a program that may sleep", node, notes=notes,
                           help="hashes, arrays, queues, stacks, ring buffers and storages can")
        c.unit.need(c, since, f"a {name} in a program that may sleep", node)
    kind = c.unit.prog_type(c.hook)
    for layout in fields.kept(map.value) if map.value is not None else ():
        row, what = mapuse.FIELDS[layout.name], NAMED.get(layout.name, fields.OWNERS[layout].__name__)
        if kind in row.never:
            hook = hooks.match(c.hook)
            return c.error("program-type", f"a map whose values have a {what} cannot be used in {hook.name if hook else c.hook} programs", node,
                           notes=notes, help="count with 'm[key] += 1', which is atomic, or in a per-CPU map" if what == "lock" else
                           "programs at tp_btf and fentry may, at the same places in the kernel")
        if map.map_type not in row.maps:
            return c.error("type-mismatch", f"the values of a {name} cannot have a {what}", node, notes=notes,
                           help=f"those of {ALL if 'SK_STORAGE' in row.maps else SOME} can")
    if kind == ProgType.PERF_EVENT and map.flags & decl.BPF_F_NO_PREALLOC and map.map_type.endswith("HASH"):
        return c.error("program-type", "perf_event programs can only use hash maps whose entries are there from the start", node, notes=notes,
                       help="leave out 'no_prealloc'")
    return None
