"""The passes and their order."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from ..ir.function import Function, Module
from ..ir.verify import check
from .cfgclean import cfgclean
from .dce import dce
from .gvn import gvn
from .memory import promote
from .sccp import sccp
from .simplify import simplify

Observer = Callable[[str, Module], None]


class Pass(NamedTuple):
    """A step: what runs, from which `level` on."""

    name: str
    run: Callable[[Function], object]
    level: int = 1


PASSES: Final[dict[str, Callable[[Function], object]]] = {
    "simplify": simplify, "sccp": sccp, "gvn": gvn, "dce": dce, "cfgclean": cfgclean, "memory": promote,
}

ORDER: Final = ("sccp", "cfgclean", "simplify", "memory", "sccp", "simplify", "gvn", "simplify", "cfgclean", "dce")


def optimize(module: Module, *, verify: bool = False, level: int = 2, observe: Observer | None = None,
             stop_after: str | None = None, skip: Collection[str] = ()) -> None:
    """Improve `module` in place. `observe(name, module)` is called after each pass."""
    for name in ORDER:
        if name in skip or level == 0:
            continue
        for fn in module.functions.values():
            PASSES[name](fn)
        if verify:
            check(module, name)
        if observe:
            observe(name, module)
        if name == stop_after:
            break
