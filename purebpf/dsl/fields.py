"""Fields of map values that the kernel keeps for a program: timers, work queues, objects of its own.

    @bpf.struct
    class Session:
        timer: bpf.Timer
        packets: u64

`v.timer.start(…)`, where `v` is the value in place. User space sees zeros there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .ints import TYPES
from .layout import ArrayType, Field, KptrType, StructType
from .memory import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .memory import Ptr

T = TypeVar("T")


def _opaque(name: str, size: int) -> StructType:
    """A struct of which the kernel knows the name."""
    return StructType(name, (Field("__opaque", ArrayType(TYPES["u64"], size // 8), 0),), size, 8)


class Timer:
    """Calls a function of the program after a time (Linux 5.15)."""

    layout = _opaque("bpf_timer", 16)
    __bpf_layout__ = layout

    if TYPE_CHECKING:

        def start(self, ns: int, callback: Callable[[Any, Any], Any] | None = None, absolute: bool = False, pinned: bool = False) -> int:
            """In `ns` nanoseconds `callback(key, value)` is called once, with the entry that the timer stands in; without a
            callback the one that it has. `absolute`: at that time of `ktime_ns` instead (5.16); `pinned`: on this CPU (6.7)."""

        def cancel(self) -> int:
            """Stop it, wait until a callback that runs has ended, and take the callback away: 1 if it was started."""


class WorkQueue:
    """Calls a function of the program soon, where it may sleep (Linux 6.10)."""

    layout = _opaque("bpf_wq", 16)
    __bpf_layout__ = layout

    if TYPE_CHECKING:

        def start(self, callback: Callable[[Any, Any], Any] | None = None) -> int:
            """`callback(key, value)` is called once, by a thread of the kernel; without a callback the one that it has."""


if TYPE_CHECKING:

    class Kptr(Generic[T]):
        """An object of the kernel's that the entry owns, or None (Linux 5.19): `task: Kptr[task_struct]`."""

        def swap(self, new: T | Ptr[T] | None) -> Any:
            """Give one away, and get what was there: to be given back, or away, unless it is None."""

        def __getattr__(self, name: str) -> Any: ...

else:

    class Kptr:
        """`Kptr[T]`"""

        def __class_getitem__(cls, target: Any) -> KptrType:
            return KptrType(layout_of(target))


KEPT = (Timer, WorkQueue)
