"""The live side: everything that needs a running Linux kernel.

Takes `ObjectSpec` (from the compiler, the ELF reader or by hand), BTF from `btf`, tables from `uapi`; gives live maps,
programs and links to the user. Invariants: all-or-nothing loads; every fd has one owner (`Fd`); only `sys` makes foreign
calls; only `tracefs` opens tracefs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..btf.percpu import PerCpu as PerCpu
    from .choices import Policy as Policy
    from .kernel import Kernel as Kernel
    from .links import Link as Link
    from .livemaps import open_map as open_map
    from .livemaps import open_pin as open_pin
    from .loading import load as load
    from .maps import LiveMap as LiveMap
    from .object import Object as Object
    from .progs import LoadedProgram as LoadedProgram
    from .progs import statistics as statistics

_PUBLIC = {"Kernel": "kernel", "Policy": "choices", "Link": "links", "open_map": "livemaps", "open_pin": "livemaps", "load": "loading",
           "LiveMap": "maps", "Object": "object", "PerCpu": "..btf.percpu", "LoadedProgram": "progs", "statistics": "progs"}
__all__ = ["Kernel", "Link", "LiveMap", "LoadedProgram", "Object", "PerCpu", "Policy", "load", "open_map", "open_pin",
           "statistics"]


def __getattr__(name: str) -> Any:
    """The room's names, loaded on first use (PEP 562)."""
    if name in _PUBLIC:
        from importlib import import_module

        value = getattr(import_module(_PUBLIC[name] if _PUBLIC[name][0] == "." else f".{_PUBLIC[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
