"""Objects of the kernel's that map values own: `old = v.task.swap(new)`."""

from __future__ import annotations

import ast

from ..dsl.layout import KptrType, StructType
from ..tree.kinds import NONE, Ptr, is_maybe
from ..tree.nodes import Expr, Number
from ..uapi import kfuncs as table
from . import arith, fitting, gate, helpers
from .context import Checker


def swap(c: Checker, place: Expr, args: list[Expr], node: ast.AST) -> Expr:
    """`v.task.swap(new)`: `new` (None: nothing) is given away, what was there is ours."""
    assert isinstance(place.kind, Ptr) and isinstance(place.kind.target, KptrType)
    fitting.writable(c, place.kind, node)
    target = c.unit.resolved(c, place.kind.target, node)
    assert isinstance(target, KptrType) and target.target is not None
    there, new = c.hold(place, "there"), c.hold(args[0], "new")
    if new.kind != NONE:
        _ours(c, new, target, node)
    word = new if new.kind != NONE else Number(c.span(node), 0)
    resource = gate.acquired(c, "swap", table.release_of("swap", target.target.name), node)
    kind = Ptr(target.target, "kernel", null=True, writable=False, why="nothing was kept there", resource=resource, trust="trusted")
    old = c.hold(helpers.emit_call(c, "kptr_xchg", (there, word), kind, node), "old")
    if new.kind != NONE:
        gate.release(c, new, node)
    return old


def _ours(c: Checker, new: Expr, target: KptrType, node: ast.AST) -> None:
    """What is given away is an object of that type that the program holds."""
    kind = new.kind
    if is_maybe(kind):
        raise arith.may_be_none(c, new, node)
    assert target.target is not None
    right = isinstance(kind, Ptr) and isinstance(kind.target, StructType) and kind.target.name.split("___")[0] == target.target.name
    if not right:
        raise c.mismatch(f"a pointer to {target.target.name} is needed here", kind, node)
    if not isinstance(kind, Ptr) or kind.resource is None or kind.resource not in c.held:
        raise c.error("untrusted", "only what the program has acquired can be given away, which this was not", node,
                      help="acquire it first, as by bpf_task_acquire()")
