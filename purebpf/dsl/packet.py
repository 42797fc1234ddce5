"""The packet, as `ctx.packet` gives it: described for type checkers and for annotations, `def parse(pkt: bpf.Packet)`.

What its methods do in a program stands in `frontend/packet.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from .maps import Array
    from .memory import Ptr

T = TypeVar("T")
S = TypeVar("S", bound=int)


class Packet:
    """A cursor over the packet of a program. `len(pkt)` is what is left from here; `pkt[i]` a byte, and outside the packet
    the program ends."""

    if TYPE_CHECKING:

        @overload
        def pull(self, kind: type[S], /) -> Ptr[S] | None: ...
        @overload
        def pull(self, kind: type[T], /) -> T | None: ...
        def pull(self: Any, *args: Any, **options: Any) -> Any:
            """What is here, and move on behind it; None if the packet ends before."""

        @overload
        def peek(self, kind: type[S], /) -> Ptr[S] | None: ...
        @overload
        def peek(self, kind: type[T], /) -> T | None: ...
        def peek(self: Any, *args: Any, **options: Any) -> Any:
            """What is here, without moving on; None if the packet ends before."""

        @overload
        def at(self, offset: int, kind: type[S], /) -> Ptr[S] | None: ...
        @overload
        def at(self, offset: int, kind: type[T], /) -> T | None: ...
        def at(self: Any, *args: Any, **options: Any) -> Any:
            """What is `offset` bytes from here; None if the packet ends before."""

        def bytes(self, offset: int, count: int, /) -> Array[int, Any] | None:
            """`count` bytes from `offset`; None if the packet ends before."""

        def skip(self, count: int, /) -> None:
            """Moves on; what is there is checked by the next pull."""

        def __len__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __getitem__(self, index: int) -> int: ...
        def __setitem__(self, index: int, value: int) -> None: ...
        def __iter__(self) -> Any: ...
