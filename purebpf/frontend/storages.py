"""Maps that keep a value with an object of the kernel: who their keys are, and the helpers that take the place of look-up and update."""

from __future__ import annotations

import ast

from ..dsl.layout import Layout, StructType
from ..dsl.storages import Storage
from ..tree.kinds import I64, Int, Kind, Ptr, is_maybe
from ..tree.nodes import Expr, Number
from . import arith, helpers
from .context import Checker

MAKE = 1  # BPF_LOCAL_STORAGE_GET_F_CREATE
SOCKETS = ("sock", "bpf_sock", "tcp_sock", "bpf_tcp_sock", "sock_common")  # what stands for a socket in programs
PROTECTED = ("TaskStorage", "CgroupStorage", "InodeStorage")  # whose owners must be trusted


def owner(c: Checker, map: Storage[object], key: Expr, node: ast.AST) -> Expr:
    """The object that a value is kept with, as its helpers take it."""
    if is_maybe(key.kind):
        raise arith.may_be_none(c, key, node)
    key = helpers.running(c, key, node)
    kind = key.kind
    if not isinstance(kind, Ptr) or not _is(kind.target, map.owner):
        raise c.mismatch(f"{type(map).__name__} keeps a value with each {map.owner}: its keys are pointers to one", kind, node, _advice(map, kind))
    if not kind.region or type(map).__name__ in PROTECTED and not kind.trust:
        raise c.error("untrusted", f"{type(map).__name__} takes a {map.owner} of which the kernel knows that it is there, which this may not be",
                      node, help=_advice(map, kind) or "an argument of the hook, or what a function has acquired")
    return c.hold(key, "owner")


def _is(layout: Layout | None, name: str) -> bool:
    """Is it that struct, one that begins with it, or, for a socket, what stands for one?"""
    while isinstance(layout, StructType):
        title = layout.name.split("___")[0]
        if title == name or name == "sock" and title in SOCKETS:
            return True
        layout = next((f.type for f in layout.fields if f.offset == 0), None)
    return False


def _advice(map: Storage[object], kind: Kind) -> str:
    return "the running task is 'bpf.current_task(task_struct)'" if map.owner == "task_struct" else ""


def look(c: Checker, map: Storage[object], ref: Expr, key: Expr, kind: Kind, node: ast.AST) -> Expr:
    """The value of an owner in place, or None."""
    zero = Number(c.span(node), 0)
    return helpers.emit_call(c, f"{map.helpers}_get", (ref, key, zero, zero), kind, node)


def make(c: Checker, map: Storage[object], ref: Expr, key: Expr, start: Expr, kind: Kind, node: ast.AST) -> Expr:
    """The same; where there is none it is made, as what `start` points to. None where there is no memory."""
    return helpers.emit_call(c, f"{map.helpers}_get", (ref, key, start, Number(c.span(node), MAKE)), kind, node)


def delete(c: Checker, map: Storage[object], ref: Expr, key: Expr, node: ast.AST) -> Expr:
    """0, or -ENOENT."""
    return helpers.emit_call(c, f"{map.helpers}_delete", (ref, key), Int.of(I64), node)
