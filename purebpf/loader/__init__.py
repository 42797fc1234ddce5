"""The live side: everything that needs a running Linux kernel.

Takes `ObjectSpec` (from the compiler, the ELF reader or by hand), BTF from `btf`, tables from `uapi`; gives live maps,
programs and links to the user. Invariants: all-or-nothing loads; every fd has one owner (`Fd`); only `sys` makes foreign
calls; only `tracefs` opens tracefs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..btf.percpu import PerCpu as PerCpu
    from .handle import open_link as open_link, open_map as open_map, open_program as open_program
    from .kernel import Kernel as Kernel, lacks as lacks, running as running
    from .link import Link as Link, LinkInfo as LinkInfo
    from .loading import load as load
    from .maps import LiveMap as LiveMap
    from .object import Object as Object
    from .object import wait as wait
    from .options import LoadOptions as LoadOptions, Policy as Policy
    from .progs import LoadedProgram as LoadedProgram
    from .progs import statistics as statistics
    from .token import Token as Token

_PUBLIC = {"Kernel": "kernel", "Link": "link", "LinkInfo": "link", "open_map": "handle", "open_program": "handle",
           "open_link": "handle", "load": "loading", "LiveMap": "maps", "Object": "object", "wait": "object",
           "LoadOptions": "options", "Policy": "options", "PerCpu": "..btf.percpu", "LoadedProgram": "progs",
           "statistics": "progs", "Token": "token", "running": "kernel", "lacks": "kernel"}
__all__ = ["Kernel", "Link", "LinkInfo", "LiveMap", "LoadOptions", "LoadedProgram", "Object", "PerCpu", "Policy", "Token", "load",
           "open_link", "open_map", "open_program", "lacks", "running", "statistics", "wait"]


def __getattr__(name: str) -> Any:
    """The room's names, loaded on first use (PEP 562)."""
    if name in _PUBLIC:
        from importlib import import_module

        value = getattr(import_module(_PUBLIC[name] if _PUBLIC[name][0] == "." else f".{_PUBLIC[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
