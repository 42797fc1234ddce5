"""The helpers that make sense outside a kernel, by family; calling another is a fault that names it.

A helper is `(world, r1, …) -> int`: arguments are unsigned 64-bit, the result may be negative and is cut to 64 bits by
the engine. Parameters it has no use for are called `_`: the fast engine does not pass those. Each family has a table from the kernel's name (without `bpf_`) to the function; here they meet the numbers.
"""

from __future__ import annotations

from typing import Any, Callable, Final, Mapping

from ...uapi.helpers import IDS
from . import check, events, fib, flow, maps, packet, probe, skb, task, text

FAMILIES: Final = (maps.HELPERS, events.HELPERS, probe.HELPERS, task.HELPERS, text.HELPERS, packet.HELPERS,
                   check.HELPERS, flow.HELPERS, skb.HELPERS, fib.HELPERS)

TABLE: Final[Mapping[int, Callable[..., Any]]] = {
    IDS[name]: function for family in FAMILIES for name, function in family.items()
}
NAMES: Final[Mapping[int, str]] = {number: name for name, number in IDS.items()}

__all__ = ["NAMES", "TABLE"]
