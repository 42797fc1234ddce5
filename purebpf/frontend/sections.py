"""Sections: what may not be called while a lock is held, or where a program must not sleep. One check for every call."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from ..dsl.ints import TYPES
from ..dsl.kernel import KernelFunction
from ..tree.nodes import Eval, Expr, Scope
from . import trust
from .context import Checker

NAMES: Final = {"lock": "a lock is held", "rcu": "it is in 'with bpf.rcu()'", "preempt": "it is in 'with bpf.preempt_off()'",
                "irq": "it is in 'with bpf.irq_off()'"}

# What begins a section, and what ends it: kernel functions.
BOUNDS: Final = {
    "rcu": ("bpf_rcu_read_lock", "bpf_rcu_read_unlock"), "preempt": ("bpf_preempt_disable", "bpf_preempt_enable"),
    "irq": ("bpf_local_irq_save", "bpf_local_irq_restore"),
}


class Section:
    """`bpf.rcu()` and the like as a value: what `with` holds."""

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what

    @property
    def __name__(self) -> str:
        return f"bpf.{self.what}()"


def hold(c: Checker, section: str, node: ast.AST, inside: Callable[[], None]) -> None:
    """`inside` in a section, which ends whichever way it is left. One that is there already is not begun again."""
    if section in c.sections or section == "rcu" and trust.protected(c):
        within(c, section, inside)
        return
    from . import kfuncs

    begin, end = (kfuncs.signature(c, KernelFunction(name), node) for name in BOUNDS[section])
    args: tuple[Expr, ...] = (c.slot(TYPES["u64"], "flags"),) if section == "irq" else ()
    c.emit(Eval(c.span(node), kfuncs.emit(c, begin, args, node)))
    outer, c.out = c.out, []
    within(c, section, inside)
    body, c.out = c.out, outer
    close = [Eval(c.span(node), kfuncs.emit(c, end, args, node))]
    c.emit(Scope(c.span(node), body, list(close), list(close)))


def within(c: Checker, section: str, inside: Callable[[], None]) -> None:
    """`inside` with the section held."""
    outer, c.sections = c.sections, (*c.sections, section)
    try:
        inside()
    finally:
        c.sections = outer


def enter(c: Checker, what: str, sleeps: bool, node: ast.AST, *, quiet: bool = False) -> None:
    """Something is called. `sleeps`: it may sleep; `quiet`: it may be called with a lock held."""
    if not quiet and not c.effects.calls:
        c.effects.calls = what
    if sleeps and not c.effects.sleeps:
        c.effects.sleeps = what
    check(c, "" if quiet else what, what if sleeps else "", node)


def check(c: Checker, calls: str, sleeps: str, node: ast.AST) -> None:
    """`calls`: something that is called, `sleeps`: something that may sleep; "" if nothing is."""
    if calls and "lock" in c.sections:
        raise c.error("locked", f"{calls}() cannot be called while a lock is held", node,
                      help="do it before or after the 'with' block of the lock")
    if sleeps and c.sections:
        raise c.error("sleeps", f"{sleeps}() may sleep, which the program must not while {NAMES[c.sections[-1]]}", node,
                      help="call it before or after the 'with' block")
    if sleeps and not trust.may_sleep(c):
        raise c.error("sleeps", f"{sleeps}() may sleep, and {'a program at this hook' if c.sleeps is None else 'what a timer calls'} must not", node,
                      help="a work queue calls what may" if c.sleeps is not None else "hooks with '.s', as in @bpf.section(\"fentry.s/…\"), and @bpf.syscall may")


def word(section: str) -> Callable[[Checker, list[Expr], ast.Call], Expr]:
    """The check of the word for a section."""
    return lambda c, args, node: c.lit(Section(section), node)
