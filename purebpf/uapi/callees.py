"""The kernel's functions that a program can call, helpers and kfuncs alike: one row says what one is and does.

Put together from the tables of effects, callers and versions, and of kfuncs. What they take stands in dsl/helpers, and in BTF.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from . import callers, effects, kfuncs, versions
from .enums import ProgType


class Callee(NamedTuple):
    """One function of the kernel.

    name       a helper's without `bpf_`, a kernel function's own
    title      how it is called where kernels are compared
    since      the first kernel that has it, "" if that is not known; `first` says it for programs of one type
    gpl        only for programs with a GPL-compatible licence
    types      program types that may call it; None: all, or not known
    same       the same answer for the whole run of a program, and no effect
    writes     may change memory that the program sees
    moves      pointers into the packet are void after it
    sleeps     only where a program may sleep
    locked     may be called while a lock is held
    in_rcu     only in an RCU section
    gives      the helper that takes back what it gives, "" if nothing must be given back; a kernel function's depends on the
               type: `kfuncs.release_of`
    takes      takes back what its first argument leads to
    later      program type -> the first kernel in which it may call it ("": from the start); `others`: the rest
    """

    name: str
    title: str
    since: str
    gpl: bool
    types: frozenset[int] | None
    same: bool = False
    writes: bool = True
    moves: bool = False
    sleeps: bool = False
    locked: bool = False
    in_rcu: bool = False
    gives: str = ""
    takes: bool = False
    later: tuple[tuple[int, str], ...] = ()
    others: str = ""

    def first(self, prog_type: int) -> str:
        """The first kernel in which programs of this type may call it."""
        return dict(self.later).get(prog_type, self.others) or self.since

    @property
    def differs(self) -> bool:
        """Whether it matters who calls it."""
        return self.types is not None or bool(self.later or self.others)


@cache
def helper(name: str) -> Callee:
    """The row of a helper."""
    does = effects.of(name)
    later, others = callers.later(name)
    return Callee(name, f"bpf_{name}()", versions.helper(name), does.gpl, callers.types(name), does.same, does.writes, does.moves,
                  does.sleeps, does.locked, gives=does.gives, takes=does.takes, later=later, others=others)


@cache
def kfunc(name: str) -> Callee:
    """The row of a kernel function."""
    row = kfuncs.find(name)
    types = row.types
    if ProgType.TRACING in types:  # not measured there, but what TRACING may they may
        types |= {int(ProgType.LSM), int(ProgType.EXT)}
    return Callee(name, f"{name}()", row.since or versions.feature("kfuncs"), True, types or None, sleeps="sleeps" in row.flags, locked="locked" in row.flags,
                  in_rcu="in_rcu" in row.flags, takes="release" in row.flags)
