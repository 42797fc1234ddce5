"""What `k[declaration]` is to a type checker: the live side of a declaration, with the declaration's own types.

Only described here, for checkers; the loader's classes are what is really there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping

    K = TypeVar("K")
    V = TypeVar("V")

    class LiveTable(MutableMapping[K, V]):
        """A map that is looked up by key."""

        def top(self, n: int = 10, *, key: Callable[[V], Any] | None = None) -> list[tuple[K, V]]:
            """The n entries with the largest values."""

        def to_dict(self) -> dict[K, V]: ...
        def to_numpy(self) -> Any: ...
        def pin(self, path: str) -> None: ...
        def close(self) -> None: ...

    class PerCpuValue(list[V]):
        """One value for each CPU."""

        def sum(self) -> V: ...

    class LiveRing(Generic[V]):
        """A ring buffer or perf buffer: events as they come, each once, whichever way they are read."""

        def events(self, timeout: float | None = None) -> Iterator[V]: ...
        def __iter__(self) -> Iterator[V]: ...
        def __aiter__(self) -> AsyncIterator[V]: ...
        def read(self) -> list[V]: ...
        def poll(self, timeout_ms: float = -1) -> list[V]: ...
        def on(self, callback: Callable[[V], object]) -> None: ...
        def read_numpy(self) -> Any: ...

    class LiveQueue(Generic[V]):
        """A queue or a stack: KeyMissing when it is empty."""

        def push(self, value: V, *, replace: bool = False) -> None: ...
        def pop(self) -> V: ...
        def peek(self) -> V: ...
        def drain(self) -> Iterator[V]: ...

    class LiveBloom(Generic[V]):
        """A bloom filter."""

        def add(self, value: V) -> None: ...
        def __contains__(self, value: object) -> bool: ...

    class LiveVariable(Generic[V]):
        """A global variable: reading and writing it is memory access, no system call."""

        value: V
