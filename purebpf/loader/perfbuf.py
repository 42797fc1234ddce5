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
import time
from typing import Callable, Generic, Iterator, NamedTuple, TypeVar

from ..errors import FormatError
from . import sys
from .fd import Fd, close_all
from .perf import open_output_event

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
    __slots__ = ("event", "memory", "size")

    def __init__(self, cpu: int, pages: int) -> None:
        self.event: Fd = open_output_event(cpu)
        self.size = pages * sys.PAGE
        try:
            self.memory = sys.map_shared(self.event.fileno(), sys.PAGE + self.size, write=True)
        except BaseException:
            self.event.close()
            raise

    def read(self) -> list[PerfRecord]:
        with memoryview(self.memory) as whole, whole[:sys.PAGE] as first, first.cast("Q") as words:
            tail, head = words[TAIL], words[HEAD]
            sys.fence()
            found = scan(self.memory, sys.PAGE, self.size, tail, head)
            sys.fence()
            words[TAIL] = head
        return found

    def close(self) -> None:
        self.memory.close()
        self.event.close()


class PerfBuffer(Generic[T]):
    """The readers of all CPUs. `install(cpu, event_fd)` puts an event into the map; `pages` per CPU is a power of two.
    `lost` counts the samples that the kernel had no room for."""

    def __init__(self, install: Callable[[int, int], None], decode: Callable[[bytes], T], *, pages: int = 8) -> None:
        if pages < 1 or pages & (pages - 1):
            raise ValueError(f"pages must be a power of two, not {pages}")
        self._decode, self.lost = decode, 0
        self._rings: list[_CpuRing] = []
        self._poll = select.poll()
        try:
            for cpu in sys.online_cpus():
                ring = _CpuRing(cpu, pages)
                self._rings.append(ring)
                install(cpu, ring.event.fileno())
                self._poll.register(ring.event.fileno(), select.POLLIN)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        rings, self._rings = self._rings, []
        close_all(rings)

    def read(self) -> list[T]:
        """The events that are there now, CPU by CPU; never waits."""
        events = []
        for ring in self._rings:
            for record in ring.read():
                if record.lost:
                    self.lost += record.lost
                else:
                    events.append(self._decode(record.data))
        return events

    def poll(self, timeout_ms: float = -1) -> list[T]:
        """Waits until there is an event, at most `timeout_ms` (-1: for ever); all events then, or []."""
        deadline = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        while True:
            events = self.read()
            if events:
                return events
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return []
            self._poll.poll(None if left is None else max(1, round(left * 1000)))

    def events(self, timeout: float | None = None) -> Iterator[T]:
        """Events one by one as they come; ends when none came for `timeout` seconds (None: never)."""
        while batch := self.poll(-1 if timeout is None else timeout * 1000):
            yield from batch
