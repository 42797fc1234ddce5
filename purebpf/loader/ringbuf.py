"""Reading a BPF ring buffer from shared memory.

    offset 0       one page, read-write: position of the consumer, u64
    offset PAGE    one page, read-only: position of the producer, u64
    offset 2*PAGE  the data, mapped twice in a row, so that no record wraps

    record = u32 length | BUSY | DISCARD, u32 page offset, data, padding to 8

Positions only grow; a record is at `position & (size - 1)`. Records are copied out before the consumer's position is
stored, because the kernel may write over them from then on.
"""

from __future__ import annotations

import mmap
import struct
from errno import E2BIG
from itertools import chain
from typing import Any, Callable, NamedTuple, TypeVar

from ..errors import FormatError, KernelError
from . import sys
from .fd import Fd
from .reader import Reader

BUSY, DISCARD, LENGTH = 1 << 31, 1 << 30, (1 << 30) - 1
HEADER = 8

T = TypeVar("T")


def scan(headers: memoryview, consumer: int, producer: int, size: int) -> tuple[list[tuple[int, int]], int]:
    """(start in the data, length) of each finished record from `consumer` on, and the position after the last.

    `headers` is the data as 32-bit words. Stops at a record still being written. Raises FormatError for a record that
    cannot be: longer than what the producer has given out."""
    found: list[tuple[int, int]] = []
    mask = size - 1
    while consumer < producer:
        at = consumer & mask
        word = headers[at >> 2]
        if word & BUSY:
            break
        length = word & LENGTH
        after = consumer + ((length + HEADER + 7) & ~7)
        if after > producer:
            raise FormatError(f"ring buffer record of {length} bytes reaches past the producer", position=consumer)
        if not word & DISCARD:
            found.append((at + HEADER, length))
        consumer = after
    return found, consumer


def uniform(headers: memoryview, consumer: int, producer: int, size: int) -> int:
    """The length of the records from `consumer` to `producer` if all are finished and of one length, else -1: the usual
    case, told without looking at each in turn."""
    at = (consumer & (size - 1)) >> 2
    length = headers[at]
    stride = (length + HEADER + 7) & ~7
    count, rest = divmod(producer - consumer, stride)
    if length > LENGTH or rest:
        return -1
    words = headers[at:at + count * (stride >> 2):stride >> 2]
    return length if words.tobytes() == length.to_bytes(4, sys.BYTEORDER) * count else -1


class Bulk(NamedTuple):
    """Records of one `length` in one piece of memory, `stride` bytes from the start of one to that of the next."""

    memory: bytes
    records: int
    length: int
    stride: int


class Ring(Reader[T]):
    """The consumer of one ring buffer map; there can be only one at a time. `decode` gets each record's bytes."""

    def __init__(self, fd: int, size: int, decode: Callable[[bytes], T]) -> None:
        super().__init__(decode, "the ring buffer")
        self.size, self._fd = size, fd
        self._closing: list[Any] = [self._wake]
        try:
            self._control = self._keep(sys.map_shared(fd, sys.PAGE, write=True))
            self._data = self._keep(sys.map_shared(fd, sys.PAGE + 2 * size, write=False, offset=sys.PAGE))
            self._consumer = self._view(self._control, "Q", 0, 8)
            self._producer = self._view(self._data, "Q", 0, 8)
            self._headers = self._view(self._data, "I", sys.PAGE, sys.PAGE + 2 * size)
        except BaseException:
            self._release()
            raise

    def _keep(self, thing: Any) -> Any:
        self._closing.append(thing)
        return thing

    def _view(self, memory: mmap.mmap, form: str, start: int, stop: int) -> memoryview:
        whole = memoryview(memory)
        part = whole[start:stop]
        view = part.cast(form)  # type: ignore[call-overload]
        self._closing += [_Released(whole), _Released(part), _Released(view)]
        return view  # type: ignore[no-any-return]

    def _release(self) -> None:
        while self._closing:
            try:
                self._closing.pop().close()
            except BufferError:  # an interrupt came while a view was made, whose frame still holds it: they go together
                pass

    def sources(self) -> list[int]:
        return [self._fd]

    def fileno(self) -> int:
        """For select, asyncio and the like: readable when there are events."""
        return self._fd

    def _take(self) -> tuple[list[bytes], int | None]:
        position, producer = self._consumer[0], self._producer[0]
        if position >= producer:
            return [], None
        sys.fence()  # the producer's position before the records behind it
        length = uniform(self._headers, position, producer, self.size)
        start = sys.PAGE + (position & (self.size - 1))
        if length >= 0:
            sys.fence()
            block = self._data[start:start + producer - position]
            record = struct.Struct(f"{HEADER}x{length}s{-length % 8}x")  # one call in C for all, not a slice for each
            return list(chain.from_iterable(record.iter_unpack(block))), producer
        found, after = scan(self._headers, position, producer, self.size)
        sys.fence()
        data, base = self._data, sys.PAGE
        return [data[base + at:base + at + length] for at, length in found], after

    def _commit(self, token: int) -> None:
        sys.fence()  # the copies before the position that lets the kernel write over them
        if self._consumer[0] < token:
            self._consumer[0] = token

    def bulk(self) -> Bulk:
        """All records that are there now, if they have one length; else length -1, and they stay. One copy for all."""
        self._check()
        with self._lock:
            rest, token = list(self._batch[0]), self._batch[1]
            if token is not None:
                self._commit(token)
            position, producer = self._consumer[0], self._producer[0]
            sys.fence()
            if not rest and position < producer:
                length = uniform(self._headers, position, producer, self.size)
                if length >= 0:
                    start, stride = sys.PAGE + (position & (self.size - 1)) + HEADER, (length + HEADER + 7) & ~7
                    memory = self._data[start:start + producer - position - HEADER]
                    self._batch = (iter(()), producer)
                    self._commit(producer)
                    return Bulk(memory, (producer - position) // stride, length, stride)
                self._refill()
                rest = list(self._batch[0])
            lengths = {len(record) for record in rest}
            if len(lengths) > 1:
                self._batch = (iter(rest), self._batch[1])
                return Bulk(b"", len(rest), -1, 0)
            size = lengths.pop() if lengths else 0
            return Bulk(b"".join(rest), len(rest), size, size)

    @property
    def pending(self) -> int:
        """Bytes in the ring that programs have written and nobody has read, headers included."""
        self._check()
        return int(self._producer[0] - self._consumer[0])


class _Released:
    """A memoryview that is released when closed: the mapping under it refuses to close before."""

    __slots__ = ("_view",)

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def close(self) -> None:
        self._view.release()


class UserRing:
    """The producer of a user ring buffer map (6.1): the roles of the two pages are swapped."""

    def __init__(self, fd: Fd, size: int) -> None:
        self.size = size
        self._control = sys.map_shared(fd.fileno(), sys.PAGE, write=False)
        try:
            self._data = sys.map_shared(fd.fileno(), sys.PAGE + 2 * size, write=True, offset=sys.PAGE)
        except BaseException:
            self._control.close()
            raise

    def close(self) -> None:
        self._control.close()
        self._data.close()

    def push(self, record: bytes) -> bool:
        """Add one record; False when there is no room for it now. KernelError when there never is."""
        total = (len(record) + HEADER + 7) & ~7
        if total > self.size:
            raise KernelError(E2BIG, f"a record of {len(record)} bytes", f"the ring has {self.size} bytes, and each record "
                                                                       f"takes {HEADER} more")
        with memoryview(self._control).cast("Q") as consumer, memoryview(self._data) as data:
            with data[:8].cast("Q") as producer:
                position = producer[0]
                if position + total - consumer[0] > self.size:
                    return False
                at = sys.PAGE + (position & (self.size - 1))
                data[at:at + HEADER] = sys.pack_u32(len(record), 0)
                data[at + HEADER:at + HEADER + len(record)] = record
                sys.fence()
                producer[0] = position + total
        return True
