"""Calls of the kernel's functions, helpers and kfuncs alike: one check lets a call through, and notes what it does.

What each is and does stands in `uapi.callees`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ..errors import CompileError, Span
from ..tree.kinds import Broken, Kind, Ptr, Resource
from ..tree.nodes import Expr
from ..uapi import callers, hooks
from ..uapi.callees import Callee
from . import keeping, packet, sections, trust
from .context import Checker

MOST_LISTED = 12  # program types in a message


def enter(c: Checker, callee: Callee, node: ast.AST) -> None:
    """The call at `node` is allowed here, or an error; what it does is noted for the callers of this function."""
    if callee.gpl and not c.unit.gpl:
        raise c.error("gpl-only", f"{_word(callee, node)}() is for GPL programs, this one is {c.unit.license!r}", node,
                      help="leave the licence at 'GPL', or do without it")
    if callee.differs:
        c.effects.callees.setdefault(callee, c.span(node))
    if not _may(c, callee):
        raise _not_for(c, callee, _word(callee, node), node)
    if not callee.locked or callee.sleeps:  # most calls need no look at the text
        sections.enter(c, _word(callee, node), callee.sleeps, node, quiet=callee.locked)
    if callee.in_rcu and not trust.protected(c):
        raise c.error("sleeps", f"{_word(callee, node)}() must be called in an RCU section: this program may sleep", node, help="with bpf.rcu():")
    _need(c, callee, node)
    c.effects.writes |= callee.writes


def leave(c: Checker, callee: Callee, result: Expr, first: Expr | None, node: ast.AST) -> Expr:
    """What the call has done to the values of the program. `first`: its first argument, which may have been taken back."""
    if callee.takes and first is not None:
        result = c.hold(result, "$status")
        release(c, first, node)
    if callee.moves:
        result = c.hold(result, "$status")
        packet.moved(c, callee.name, node)
    return result


def again(c: Checker, callees: Mapping[Callee, Span], node: ast.AST) -> None:
    """A function that calls these is called: it may have been checked for a program of another type."""
    for callee, span in callees.items():
        c.effects.callees.setdefault(callee, span)
        if not _may(c, callee):
            c.unit.report(_not_for(c, callee, callee.name, node, span))
        else:
            _need(c, callee, node)


def _need(c: Checker, callee: Callee, node: ast.AST) -> None:
    """The kernel has the function, and lets programs of this type call it."""
    first = callee.first(c.unit.prog_type(c.hook))
    what = callee.title if first == callee.since else f"{callee.title} in a program of {hooks.called(c.hook)}"
    c.unit.need(c, first, what, node)


def _may(c: Checker, callee: Callee) -> bool:
    type = c.unit.prog_type(c.hook)
    return callee.types is None or not type or type in callee.types


def _word(callee: Callee, node: ast.AST) -> str:
    """The function in the user's words: what is called at `node`."""
    word = ast.unparse(node.func) if isinstance(node, ast.Call) else callee.name
    return callee.name if word.endswith(f".{callee.name}") else word


def _not_for(c: Checker, callee: Callee, word: str, node: ast.AST, at: Span | None = None) -> CompileError:
    """Programs of this type may not call it; `at`: where a function that they call does."""
    types = callers.named(callee.types or ())
    listed = " and ".join(filter(None, (", ".join(types[:-1]), types[-1]))) if len(types) <= MOST_LISTED else "most other"
    what = f"{'the helper ' * (callee.title != f'{callee.name}()')}{callee.name}"
    help = f"it is for {listed} programs" if word == callee.name and at is None else f"it calls {what}, which is for {listed} programs"
    return c.error("program-type", f"{word}() cannot be called in {hooks.called(c.hook)} programs", node, help=help,
                   notes=((at, "it is called here"),) if at is not None else ())


# --- what must be given back -----------------------------------------------------------------------------------------


def acquired(c: Checker, name: str, by: str, node: ast.AST) -> Resource:
    """What a function gave, and wants back by another: the program holds it from here on."""
    resource = Resource(f"what {name}() gave", f"{by}()" if by else "its release", c.span(node))
    c.held |= {resource}
    return resource


def release(c: Checker, value: Expr, node: ast.AST) -> None:
    """What the pointer leads to has been given back: every name for it is dead."""
    kind = value.kind
    resource = kind.resource if isinstance(kind, Ptr) else None
    if resource is not None:
        _released(c, resource, node)
        return
    for origin in keeping.origins(kind):
        if isinstance(origin.root, str):
            c.effects.released.add(origin.root)


def _released(c: Checker, resource: Resource, node: ast.AST) -> None:
    c.held -= {resource}
    span = c.span(node)

    def has(kind: Kind) -> bool:
        return isinstance(kind, Ptr) and (kind.resource is resource or any(o.root is resource for o in kind.origin))

    c.change(has, lambda name, kind: Broken("use-after-release", f"{name!r} has been given back", "use it before that",
                                            ((span, "it was given back here"),)))


def check_released(c: Checker, node: ast.AST) -> None:
    """The function ends: what it has acquired must have been given back."""
    for resource in sorted(c.held, key=lambda r: r.span):
        c.unit.report(c.error("not-released", f"{resource.what} is not given back on this path", node,
                              help=f"call {resource.release} on every path, or use 'with'",
                              notes=((resource.span, "it was acquired here"),)))
    c.held = frozenset()
