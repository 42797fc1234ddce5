"""Live maps whose values stand for kernel objects: programs, maps, sockets, cgroups, perf events.

Writing takes the object (anything with `fileno()`, or a bare fd); what a read gives is the kernel's id, where the kernel
lets one read at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ..errors import KeyMissing
from . import sys
from .maps import ArrayMap, KeyedMap
from .perfbuf import PerfBuffer

_U32 = struct.Struct("=I")


class FdCodec:
    """Encodes an object with a file descriptor; decodes the id that the kernel shows in its place. `size` 4 or 8."""

    __slots__ = ("size",)

    def __init__(self, size: int = 4) -> None:
        self.size = size

    def encode(self, value: Any) -> bytes:
        number = value if isinstance(value, int) else value.fileno()
        return int(number).to_bytes(self.size, sys.BYTEORDER)

    def decode(self, data: bytes) -> int:
        return int.from_bytes(data, sys.BYTEORDER)


class _Sparse(ArrayMap):
    """An array whose slots may be empty: these are absent keys, and deleting empties them."""

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int) and 0 <= key < self.info.max_entries and self.lookup(key) is not None

    def __iter__(self) -> Iterator[Any]:
        return (n for n in range(self.info.max_entries) if self.lookup(n) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __delitem__(self, key: Any) -> None:
        self._check(key)
        KeyedMap.__delitem__(self, key)

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        for key in range(self.info.max_entries):
            data = self._fetch(1, key, 0)
            if data is not None:
                yield _U32.pack(key), data

    def clear(self) -> None:
        for key in range(self.info.max_entries):
            try:
                del self[key]
            except KeyMissing:
                pass


class ProgramTable(_Sparse):
    """A program array, for tail calls: `table[i] = obj.programs["next"]`. Reading gives the program's id."""


class MapTable(_Sparse):
    """An array of maps: `table[i] = other_map`. Reading gives the inner map, open until it is closed by the reader."""

    def inner(self, key: Any) -> Any:
        """The live inner map at `key`; close it after use. Raises KeyMissing."""
        from .livemaps import open_id

        return open_id(self[key])


class MapHash(KeyedMap):
    """A hash of maps."""

    def inner(self, key: Any) -> Any:
        """The live inner map at `key`; close it after use. Raises KeyMissing."""
        from .livemaps import open_id

        return open_id(self[key])


class FdTable(_Sparse):
    """Arrays of sockets, cgroups, AF_XDP sockets or perf events, by their fds."""


class PerfTable(FdTable):
    """A perf event array: one ring per CPU behind `bpf_perf_event_output`."""

    _buffer: PerfBuffer[Any] | None = None
    record: Any = None  # decodes a sample; None: bytes

    def buffer(self, *, pages: int = 8) -> PerfBuffer[Any]:
        """The reader of all CPUs, `pages` (a power of two) for each; made on the first call, closed with the map."""
        if self._buffer is None:
            decode = self.record.decode if self.record is not None else bytes
            self._buffer = PerfBuffer(lambda cpu, fd: self.set(cpu, fd), decode, pages=pages)
        return self._buffer

    def close(self) -> None:
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            buffer.close()
        super().close()

    def read(self) -> list[Any]:
        """The events that are there now; never waits."""
        return self.buffer().read()

    def poll(self, timeout_ms: float = -1) -> list[Any]:
        """Waits until there is an event, at most `timeout_ms` (-1: for ever); all events then, or []."""
        return self.buffer().poll(timeout_ms)

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """Events as they come; ends when none came for `timeout` seconds (None: never)."""
        return self.buffer().events(timeout)

    @property
    def lost(self) -> int:
        """How many samples found no room since the reader was opened."""
        return self._buffer.lost if self._buffer is not None else 0


class FdKeyed(KeyedMap):
    """Local storage: the key is a descriptor of the owner (a pidfd, a socket, a cgroup, a file)."""


