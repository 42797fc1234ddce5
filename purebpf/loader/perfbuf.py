"""Reading a perf event array: one ring per CPU, filled by bpf_perf_event_output.

    page 0: struct perf_event_mmap_page: data_head u64 @1024 (kernel), data_tail u64 @1032 (ours),
            data_offset u64 @1040, data_size u64 @1048
    then data_size bytes, in which records wrap: u32 type, u16 misc, u16 size, payload
        type 9 (SAMPLE): u32 size, bytes     type 2 (LOST): u64 id, u64 count
"""

from __future__ import annotations

import mmap
import select
import struct
from errno import EINVAL
from typing import Callable, NamedTuple, TypeVar

from ..errors import FormatError
from . import sys
from .fd import Fd, close_all
from .perf import lost_of, open_output_event
from .reader import Reader
from .refusals import CAP_PERFMON, refuse

SAMPLE, LOST = 9, 2
HEADER = struct.Struct("=IHH")
HEAD, TAIL = 128, 129  # in 8-byte words

T = TypeVar("T")


class PerfRecord(NamedTuple):
    """`data` of a sample, or b"" and how many were `lost` before the ring had room again."""

    data: bytes
    lost: int = 0


def scan(data: bytes | mmap.mmap, base: int, size: int, tail: int, head: int) -> list[PerfRecord]:
    """Every record between two positions; `data[base:base + size]` is the ring. Raises FormatError."""
    found: list[PerfRecord] = []
    while tail < head:
        kind, _, length = HEADER.unpack(_wrapped(data, base, size, tail, 8))
        if length < 8 or tail + length > head:
            raise FormatError(f"perf record of {length} bytes does not fit", position=tail)
        body = _wrapped(data, base, size, tail + 8, length - 8)
        if kind == SAMPLE and len(body) >= 4:
            raw = int.from_bytes(body[:4], sys.BYTEORDER)
            found.append(PerfRecord(body[4:4 + raw]))  # the kernel pads the sample to 8
        elif kind == LOST and len(body) >= 16:
            found.append(PerfRecord(b"", struct.unpack_from("=Q", body, 8)[0]))
        tail += length
    return found


def _wrapped(data: bytes | mmap.mmap, base: int, size: int, position: int, length: int) -> bytes:
    at = position & (size - 1)
    first = data[base + at:base + min(at + length, size)]
    return first if len(first) == length else first + data[base:base + length - len(first)]


class _CpuRing:
    __slots__ = ("event", "memory", "size", "_told", "_counts")

    def __init__(self, cpu: int, pages: int) -> None:
        self.event: Fd
        self.event, self._counts = open_output_event(cpu)
        self._told = 0  # by records; these come when there is room again
        self.size = pages * sys.PAGE
        try:
            self.memory = sys.map_shared(self.event.fileno(), sys.PAGE + self.size, write=True)
        except OSError as error:
            self.event.close()
            raise refuse(error.errno or EINVAL, f"mapping a perf buffer of {pages} pages", caps=(CAP_PERFMON,), hint="it "
                         "counts against RLIMIT_MEMLOCK and kernel.perf_event_mlock_kb") from None
        except BaseException:
            self.event.close()
            raise

    @property
    def lost(self) -> int:
        try:
            return lost_of(self.event) if self._counts else self._told
        except (OSError, ValueError):
            return self._told

    def read(self) -> tuple[list[bytes], int]:
        """The records, and the position after them."""
        with memoryview(self.memory) as whole, whole[:sys.PAGE] as first, first.cast("Q") as words:
            tail, head = words[TAIL], words[HEAD]
            sys.fence()
            found = scan(self.memory, sys.PAGE, self.size, tail, head)
        self._told += sum(record.lost for record in found)
        return [record.data for record in found if not record.lost], head

    def release(self, head: int) -> None:
        sys.fence()
        with memoryview(self.memory) as whole, whole[:sys.PAGE] as first, first.cast("Q") as words:
            words[TAIL] = head

    def close(self) -> None:
        self.memory.close()
        self.event.close()


class PerfBuffer(Reader[T]):
    """The readers of all CPUs. `install(cpu, event_fd)` puts an event into the map; `pages` per CPU is a power of two.
    Records come CPU by CPU."""

    def __init__(self, install: Callable[[int, int], None], decode: Callable[[bytes], T], *, pages: int = 8) -> None:
        if pages < 1 or pages & (pages - 1):
            raise ValueError(f"pages must be a power of two, not {pages}")
        super().__init__(decode, "the perf buffer")
        self.pages, self._lost_before = pages, 0
        self._rings: list[_CpuRing] = []
        self._epoll: select.epoll | None = None
        try:
            for cpu in sys.online_cpus():
                ring = _CpuRing(cpu, pages)
                self._rings.append(ring)
                install(cpu, ring.event.fileno())
        except BaseException:
            self._release()
            raise

    @property
    def lost(self) -> int:
        """How many samples the kernel had no room for; exact since Linux 6.0, before that told with the next that fits."""
        return self._lost_before + sum(ring.lost for ring in self._rings)

    def _release(self) -> None:
        self._lost_before = self.lost
        rings, self._rings = self._rings, []
        epoll, self._epoll = self._epoll, None
        close_all([*rings, self._wake, *([epoll] if epoll is not None else [])])

    def sources(self) -> list[int]:
        return [ring.event.fileno() for ring in self._rings]

    def fileno(self) -> int:
        """For select, asyncio and the like: readable when there are events on any CPU; read them all then."""
        self._check()
        if self._epoll is None:
            self._epoll = select.epoll()
            for fd in self.sources():
                self._epoll.register(fd, select.EPOLLIN)
        return self._epoll.fileno()

    def take_over(self, old: PerfBuffer[T]) -> None:
        """Read what another one still holds before what comes here, and close it."""
        records = old.raw()
        self._lost_before += old.lost
        with self._lock:
            self._batch = (iter([*records, *self._batch[0]]), self._batch[1])
        old.close()

    def _take(self) -> tuple[list[bytes], list[int] | None]:
        records: list[bytes] = []
        heads: list[int] = []
        for ring in self._rings:
            found, head = ring.read()
            heads.append(head)
            records += found
        return records, heads

    def _commit(self, token: list[int]) -> None:
        for ring, head in zip(self._rings, token):
            ring.release(head)
