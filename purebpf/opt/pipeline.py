"""The passes and their order, as data."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from ..ir.crash import guard
from ..ir.function import Function, Module
from .abi import abi
from .aborts import aborts
from .booleans import booleans
from .cfgclean import cfgclean
from .dce import dce
from .decided import decided
from .gvn import gvn
from .implied import implied
from .inline import inline, inline_must
from .loops import hoist, unroll
from .memory import promote
from .merge import merge
from .narrow import narrow
from .returned import returned
from .sccp import sccp
from .simplify import simplify
from .sink import sink
from .stores import stores
from .switch import switch
from .thread import thread

Observer = Callable[[str, Module], None]

PASSES: Final[dict[str, Callable[[Function], bool]]] = {
    "booleans": booleans, "cfgclean": cfgclean, "dce": dce, "decided": decided, "gvn": gvn, "hoist": hoist, "implied": implied, "memory": promote, "merge": merge,
    "narrow": narrow, "sccp": sccp, "simplify": simplify, "sink": sink, "stores": stores, "switch": switch,
    "thread": thread, "unroll": unroll,
}
MODULE_PASSES: Final[dict[str, Callable[[Module], bool]]] = {
    "abi": abi, "aborts": aborts, "inline": inline, "inline_must": inline_must, "returned": returned,
}


class Step(NamedTuple):
    """A pass at its place: why there; `level` from which it runs (0: always, without it there is no program); `after`: only for functions that the last run of that
    pass changed."""

    name: str
    why: str
    level: int = 1
    after: str = ""


STEPS: Final = (
    Step("cfgclean", "the frontend leaves a block per statement and parameters that are always the same"),
    Step("simplify", "sizes that the inliner looks at should be those of folded code"),
    Step("returned", "the caller has what a function gives back; stack addresses cannot be", level=0),
    Step("inline", "everything after sees through calls"),
    Step("inline_must", "at any level: some functions cannot be called", level=0),
    Step("aborts", "only what stays a subprogram needs flags", level=0),
    Step("sccp", "constant arguments decide branches of what was inlined", after="inline"),
    Step("simplify", "offsets into slots become constants", after="inline"),
    Step("memory", "slots whose address does not leave are values from here on"),
    Step("sccp", "constants that went through slots", after="memory"),
    Step("cfgclean", "loops have one way in and one latch"),
    Step("unroll", "constants and slots are known, so trip counts are", level=2),
    Step("sccp", "every round has its own constants", after="unroll"),
    Step("simplify", "offsets of unrolled accesses are constants", after="unroll"),
    Step("memory", "arrays indexed by the unrolled counter", after="unroll"),
    Step("sccp", "constants that went through those", after="unroll"),
    Step("simplify", "canonical forms, for gvn to compare"),
    Step("gvn", "one value for one computation, which branches can then be seen to share"),
    Step("cfgclean", "threading wants straight lines"),
    Step("thread", "flags and conditions made of constants vanish", level=2),
    Step("decided", "a cursor that moves on success has moved where the test said so"),
    Step("implied", "tests decided by tests above", level=2),
    Step("sccp", "what the decided branches leave"),
    Step("cfgclean", "joins that are left have all their ways", level=2),
    Step("sink", "byte swaps below joins meet the comparisons there", level=2),
    Step("narrow", "masks, when the final shape of loops is there"),
    Step("switch", "comparisons of one value, in their final form", level=2),
    Step("booleans", "what still is compared for its value has no branch to decide", level=2),
    Step("gvn", "what simplification made equal"),
    Step("stores", "loads that gvn forwarded read no more", level=2),
    Step("hoist", "what is left in loops and does not change", level=2),
    Step("simplify", "addresses that gvn derived from one another go into offsets"),
    Step("dce", "nothing dead is merged, or counted as use"),
    Step("merge", "tails are final", level=2),
    Step("cfgclean", "codegen gets no block that only jumps"),
    Step("sink", "near to the use, registers are fewer", level=2),
    Step("abi", "nothing may come between a call and what is passed beside it", level=0),
)

# (first, then, why): somewhere before the last run of `then`, `first` has run. The test of the pipeline checks it.
CONSTRAINTS: Final = (
    ("inline", "memory", "slots passed to inlined functions are promoted"),
    ("memory", "unroll", "a counter kept in a slot is no constant"),
    ("simplify", "gvn", "gvn compares canonical forms"),
    ("gvn", "thread", "threading knows a condition by identity"),
    ("thread", "sccp", "threading leaves constants behind"),
    ("gvn", "stores", "a forwarded load keeps no store alive"),
    ("dce", "merge", "a dead op makes equal blocks differ"),
    ("merge", "cfgclean", "merging leaves blocks that only jump"),
)


def run_pass(name: str, module: Module) -> None:
    """One pass on the whole module."""
    if name in MODULE_PASSES:
        MODULE_PASSES[name](module)
        return
    for fn in module.functions.values():
        PASSES[name](fn)


def _guarded(name: str, fn: Function) -> bool:
    """The pass of that name on one function; a crash says so."""
    with guard(name, fn):
        return PASSES[name](fn)


def optimize(module: Module, *, verify: bool = False, level: int = 2, observe: Observer | None = None,
             stop_after: str | None = None, skip: Collection[str] = ()) -> None:
    """Improve `module` in place. `level`: 0 only what codegen needs, 1 without what costs time, 2 all. `observe(name, module)` is called
    after each pass; `verify` checks the IR then, and before the first one; `stop_after` ends with the first run of that pass; `skip` leaves out."""
    proofs = None
    if verify:
        from .proofs import Proofs  # a plain build does without them, and without the printer

        proofs = Proofs(module)
    changed: dict[str, set[str]] = {}  # pass -> functions that its last run changed
    settled: dict[str, set[str]] = {}  # pass -> functions that are still as its last run found and left them
    for step in STEPS:
        if step.level > level or step.name in skip or (step.after and not changed.get(step.after)):
            continue
        if step.name in MODULE_PASSES:
            with guard(step.name, next(iter(module.functions.values()))):
                did = MODULE_PASSES[step.name](module)
            changed[step.name] = set(module.functions) if did else set()
        else:
            names = changed[step.after] if step.after else module.functions
            todo = [fn for fn in module.functions.values() if fn.name in names and fn.name not in settled.get(step.name, ())]
            changed[step.name] = {fn.name for fn in todo if _guarded(step.name, fn)}
            settled.setdefault(step.name, set()).update(fn.name for fn in todo)
        if changed[step.name]:
            for functions in settled.values():
                functions -= changed[step.name]
        if proofs is not None:
            proofs.check(module, step.name, changed[step.name], step.name in PASSES)
        if observe:
            observe(step.name, module)
        if step.name == stop_after:
            break
