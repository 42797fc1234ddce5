"""A kernel in user space: runs programs with no privilege and no kernel.

Takes instructions, or an ObjectSpec, from whoever has them; gives results, maps and traces as plain Python values.
`run(code, memory)` runs bytes by themselves; `Machine(spec)` holds the maps and globals of an object between runs.

Invariants: a program never touches host memory, every access is checked against regions at made-up addresses; the plain
engine and the fast one give equal results, memory and faults (tests/vm/test_engines.py); both give the kernel's
(tests/vm/test_kernel.py); nothing but VmFault stops a program, nothing but DecodeError refuses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bare import Bare as Bare
    from .bare import run as run
    from .live import LiveMap as LiveMap
    from .machine import Machine as Machine
    from .routes import Route as Route
    from .world import Process as Process

_HOMES = {"run": "bare", "Bare": "bare", "Machine": "machine", "LiveMap": "live", "Process": "world", "Route": "routes"}

__all__ = ["Bare", "LiveMap", "Machine", "Process", "Route", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
