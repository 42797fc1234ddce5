"""The passes and their order."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from ..ir.function import Function, Module
from ..ir.verify import check
from .cfgclean import cfgclean
from .dce import dce
from .gvn import gvn
from .implied import implied
from .inline import inline
from .loops import hoist, unroll
from .memory import promote
from .merge import merge
from .narrow import narrow
from .sccp import sccp
from .simplify import simplify
from .sink import sink
from .stores import stores
from .thread import thread

Observer = Callable[[str, Module], None]

PASSES: Final[dict[str, Callable[[Function], object]]] = {
    "simplify": simplify, "sccp": sccp, "gvn": gvn, "dce": dce, "cfgclean": cfgclean, "memory": promote,
    "thread": thread, "unroll": unroll, "hoist": hoist, "narrow": narrow, "implied": implied,
    "stores": stores, "merge": merge, "sink": sink,
}
MODULE_PASSES: Final[dict[str, Callable[[Module], object]]] = {"inline": inline}

ORDER: Final = ("sccp", "cfgclean", "simplify", "inline", "memory", "sccp", "simplify", "cfgclean", "unroll", "memory", "sccp",
                "simplify", "gvn", "cfgclean", "thread", "implied", "sccp", "sink", "narrow", "cfgclean", "gvn", "stores", "hoist",
                "simplify", "dce", "merge", "cfgclean")


def run_pass(name: str, module: Module) -> None:
    """One pass on the whole module."""
    if name in MODULE_PASSES:
        MODULE_PASSES[name](module)
        return
    for fn in module.functions.values():
        PASSES[name](fn)


def optimize(module: Module, *, verify: bool = False, level: int = 2, observe: Observer | None = None,
             stop_after: str | None = None, skip: Collection[str] = ()) -> None:
    """Improve `module` in place. `observe(name, module)` is called after each pass."""
    for name in ORDER:
        if name in skip or level == 0:
            continue
        run_pass(name, module)
        if verify:
            check(module, name)
        if observe:
            observe(name, module)
        if name == stop_after:
            break
