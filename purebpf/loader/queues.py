"""Live maps without keys: queue, stack, bloom filter, ring buffers."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from errno import ENOENT
from typing import Any

from ..errors import KeyMissing
from ..uapi.enums import Cmd
from . import bpf, sys
from .fd import Fd
from .maps import ANY, EXIST, LiveMap, MapInfo
from .reader import Reader
from .refusals import refuse
from .ringbuf import Ring, UserRing


class ReaderMap(LiveMap):
    """A map whose records are read. `reader()` is made on first use, at the latest when a program is attached that
    writes to it."""

    def __init__(self, fd: Fd, info: MapInfo, key: Any, value: Any, value_bytes: int) -> None:
        super().__init__(fd, info, key, value, value_bytes)
        self._making = threading.Lock()
        self.callback: Callable[[Any], object] | None = None

    def reader(self) -> Reader[Any]:
        raise NotImplementedError

    def be_ready(self) -> None:
        """Called before a program that sends records here is attached."""

    def read(self) -> list[Any]:
        """The events that are there now; never waits."""
        return self.reader().read()

    def poll(self, timeout_ms: float = -1) -> list[Any]:
        """Waits until there is an event, at most `timeout_ms` (-1: for ever); all events then, or []."""
        return self.reader().poll(timeout_ms)

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """Events as they come; ends when none came for `timeout` seconds (None: never), or when the map is closed. Events
        after the one at which the loop is left are there for the next reading."""
        return self.reader().events(timeout)

    def on(self, callback: Callable[[Any], object]) -> None:
        """`callback(event)` for each event, from within `wait` of the object, or `loader.wait`."""
        self.callback = callback

    def __iter__(self) -> Iterator[Any]:
        return self.events()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.reader().aevents()


class QueueMap(LiveMap):
    """Queue (first in, first out) and stack (last in, first out); the map's type says which."""

    def push(self, value: Any, *, replace: bool = False) -> None:
        """Add a value. A full map is a KernelError (E2BIG), unless `replace` lets the oldest go."""
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fileno(), None, sys.buffer(self._value.encode(value)),
                              EXIST if replace else ANY)
        if result < 0:
            raise self._refusal(result, "updating")

    def _take(self, command: int) -> Any:
        value = sys.buffer(self._value_bytes)
        result = bpf.map_elem(command, self.fileno(), None, value)
        if result == -ENOENT:
            raise KeyMissing(ENOENT, f"map {self.name!r} is empty")
        if result < 0:
            raise self._refusal(result, "reading")
        return self._value.decode(value.raw[:self._value_bytes])

    def pop(self) -> Any:
        """The next value, removed. KeyMissing when empty."""
        return self._take(Cmd.MAP_LOOKUP_AND_DELETE_ELEM)

    def peek(self) -> Any:
        """The next value, left where it is. KeyMissing when empty."""
        return self._take(Cmd.MAP_LOOKUP_ELEM)

    def drain(self) -> Iterator[Any]:
        """Pops until empty."""
        while True:
            try:
                yield self.pop()
            except KeyMissing:
                return


class BloomMap(LiveMap):
    """A set that may say yes for what was never added, and never says no for what was."""

    def add(self, value: Any) -> None:
        result = bpf.map_elem(Cmd.MAP_UPDATE_ELEM, self.fileno(), None, sys.buffer(self._value.encode(value)))
        if result < 0:
            raise self._refusal(result, "updating")

    def __contains__(self, value: object) -> bool:
        result = bpf.map_elem(Cmd.MAP_LOOKUP_ELEM, self.fileno(), None, sys.buffer(self._value.encode(value)))
        if result < 0 and result != -ENOENT:
            raise self._refusal(result, "reading")
        return result >= 0


class RingMap(ReaderMap):
    """A ring buffer; records are decoded by the map's value type, if it names one."""

    _ring: Ring[Any] | None = None
    _counters: tuple[Callable[[], bytes], ...] = ()
    _lost_before = 0  # told by a counter whose object is closed

    def counted_by(self, counter: Callable[[], bytes]) -> None:
        """Programs that use this ring count what finds no room where this reads."""
        self._counters += (counter,)

    @property
    def lost(self) -> int | None:
        """How many records found no room since their programs were loaded; None where nobody counts: programs of others, or
        an object loaded without `count_lost`."""
        if not self._counters:
            return None
        try:
            self._lost_before = sum(int.from_bytes(counter(), sys.BYTEORDER) for counter in self._counters)
        except ValueError:
            pass  # the object is closed
        return self._lost_before

    def reader(self) -> Ring[Any]:
        """The reader, mapped on first use. Only one process at a time can read a ring buffer."""
        with self._making:
            if self._ring is None:
                try:
                    self._ring = Ring(self.fileno(), self.info.max_entries, self._value.decode)
                except OSError as error:
                    raise refuse(error.errno or 0, f"mapping ring buffer {self.name!r}") from None
            return self._ring

    @property
    def ring(self) -> Ring[Any]:
        return self.reader()

    def read_numpy(self) -> Any:
        """The events that are there now as one structured array, its dtype that of the map's type; one copy for all.
        FormatError when records have different lengths (they stay), PureBpfError without numpy."""
        from .arrays import structured

        return structured(self.reader().bulk(), self._value)

    def close(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()
        super().close()


class UserRingMap(LiveMap):
    """A ring buffer that user space fills and a program drains (6.1)."""

    _ring: UserRing | None = None

    def push(self, value: Any) -> bool:
        """Add one record; False when the ring is full."""
        if self._ring is None:
            try:
                self._ring = UserRing(self._fd, self.info.max_entries)
            except OSError as error:
                raise refuse(error.errno or 0, f"mapping ring buffer {self.name!r}") from None
        return self._ring.push(self._value.encode(value))

    def close(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()
        super().close()
