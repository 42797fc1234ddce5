"""Maps that carry events to user space: the ring buffer and the perf event array."""

from __future__ import annotations

import errno
from typing import Iterator, NamedTuple

from ..spec import MapSpec
from .maps import Map
from .memory import Memory, Region

HEADER = 8  # bytes before each record in the kernel's ring
AVAILABLE, SIZE, CONSUMED, PRODUCED = 0, 1, 2, 3  # bpf_ringbuf_query


class _Record:
    """A place in the ring: reserved (region, data None), then committed or discarded."""

    __slots__ = ("data", "discarded", "region", "size")

    def __init__(self, size: int, region: Region | None, data: bytes | None) -> None:
        self.size, self.region, self.data, self.discarded = size, region, data, False


class RingBuf(Map):
    """BPF_MAP_TYPE_RINGBUF of `max_entries` bytes. Records come out in the order they were reserved; one that is still
    reserved holds back those after it. Space is given back when user space takes records. `lost` found no room."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.waiting: list[_Record] = []
        self.produced = self.consumed = self.lost = 0

    def reserve(self, size: int) -> int:
        """Address of a new record of `size` bytes; 0 if there is no room."""
        if not self._room(size):
            return 0
        record = _Record(size, self.memory.map(bytearray(size), f"record of {self.spec.name}"), None)
        self.waiting.append(record)
        return record.region.base if record.region else 0

    def output(self, data: bytes) -> int:
        """Copy a whole record in."""
        if HEADER + len(data) > self.spec.max_entries:
            self.lost += 1
            return -errno.E2BIG
        if not self._room(len(data)):
            return -errno.EAGAIN
        self.waiting.append(_Record(len(data), None, data))
        return 0

    def _room(self, size: int) -> bool:
        taken = (size + HEADER + 7) & ~7
        if taken > self.spec.max_entries or self.produced + taken - self.consumed > self.spec.max_entries - 1:
            self.lost += 1
            return False
        self.produced += taken
        return True

    def commit(self, address: int, discard: bool) -> bool:
        """Submit or discard the record at `address`, which stops being memory; False if it is none of this ring's."""
        for record in self.waiting:
            if record.region is not None and record.region.base == address:
                record.data, record.discarded = bytes(record.region.data), discard
                self.memory.unmap(record.region)
                record.region = None
                return True
        return False

    def query(self, what: int) -> int:
        match what:
            case 0:
                return self.produced - self.consumed
            case 1:
                return self.spec.max_entries
            case 2:
                return self.consumed
            case 3:
                return self.produced
        return 0

    def records(self) -> Iterator[bytes]:
        """Take the finished records out, oldest first."""
        while self.waiting and self.waiting[0].data is not None:
            record = self.waiting.pop(0)
            self.consumed += (record.size + HEADER + 7) & ~7
            if not record.discarded and record.data is not None:
                yield record.data

    def settle(self) -> str:
        """The verifier refuses programs that forget a record; here they are told."""
        super().settle()
        forgotten = [record for record in self.waiting if record.region is not None]
        for record in forgotten:
            if record.region is not None:
                self.memory.unmap(record.region)
            record.region, record.data, record.discarded = None, b"", True
        return f"a record reserved in {self.spec.name!r} was neither submitted nor discarded" if forgotten else ""


class Event(NamedTuple):
    """One record of a perf event array, and the CPU it came from."""

    cpu: int
    data: bytes


class PerfEventArray(Map):
    """BPF_MAP_TYPE_PERF_EVENT_ARRAY, as if user space had opened a buffer without end on every CPU."""

    def __init__(self, spec: MapSpec, memory: Memory, cpus: int) -> None:
        super().__init__(spec, memory, cpus)
        self.events: list[Event] = []

    def output(self, cpu: int, data: bytes) -> int:
        if cpu >= min(self.cpus, self.spec.max_entries or self.cpus):
            return -errno.E2BIG
        self.events.append(Event(cpu, data))
        return 0

    def records(self) -> Iterator[Event]:
        """Take the records out, oldest first."""
        while self.events:
            yield self.events.pop(0)
