"""A runtime with a kernel's furniture: maps, a clock, a CPU, a current process, a packet, a trace pipe.

Helpers get the World they run in as first argument; see `purebpf/vm/helpers`.
"""

from __future__ import annotations

import random
import time
from typing import Callable, Final, Mapping, NamedTuple

from ..order import Order
from ..spec import MapSpec
from ..uapi.enums import MapType
from . import maps as m
from .memory import Region, Trap
from .packet import Packet
from .rings import PerfEventArray, RingBuf
from .routes import Route
from .runtime import Engine, Helper, Runtime
from .skb import Skb

MAP_TYPES: Final[Mapping[int, type[m.Map]]] = {
    MapType.HASH: m.Hash, MapType.PERCPU_HASH: m.PercpuHash, MapType.LRU_HASH: m.LruHash,
    MapType.LRU_PERCPU_HASH: m.LruPercpuHash, MapType.ARRAY: m.Array, MapType.PERCPU_ARRAY: m.PercpuArray,
    MapType.LPM_TRIE: m.LpmTrie, MapType.QUEUE: m.Queue, MapType.STACK: m.Stack, MapType.BLOOM_FILTER: m.BloomFilter,
    MapType.PROG_ARRAY: m.ProgArray, MapType.ARRAY_OF_MAPS: m.ArrayOfMaps, MapType.HASH_OF_MAPS: m.HashOfMaps,
    MapType.RINGBUF: RingBuf, MapType.PERF_EVENT_ARRAY: PerfEventArray,
    MapType.SOCKMAP: m.SockMap, MapType.SOCKHASH: m.SockHash,
    MapType.DEVMAP: m.Array, MapType.DEVMAP_HASH: m.Hash, MapType.CPUMAP: m.Array, MapType.XSKMAP: m.Array,
}


class Process(NamedTuple):
    """The process that simulated programs run in. `pid` is the thread's number (the kernel's task->pid)."""

    pid: int = 4242
    tgid: int = 4242
    ppid: int = 1
    uid: int = 0
    gid: int = 0
    comm: str = "purebpf"


class World(Runtime):
    """What the helpers of one machine share."""

    __slots__ = ("clock", "cpu", "cpus", "frame", "kept", "maps", "process", "prog_type", "random", "redirected",
                 "routes", "skb", "task", "trace")

    def __init__(self, engine: Engine, helpers: Mapping[int, Helper], process: Process, cpus: int,
                 clock: Callable[[], int] | int | None, seed: int, order: Order) -> None:
        super().__init__(engine, helpers, order=order)
        self.process, self.cpus, self.cpu = process, cpus, 0
        self.clock: Callable[[], int]
        if clock is None:
            self.clock = time.monotonic_ns
        else:
            self.clock = clock if callable(clock) else lambda: clock
        self.random = random.Random(seed)
        self.maps: dict[int, m.Map] = {}
        self.trace: list[str] = []
        self.frame: Packet | None = None
        self.kept: list[Region] = []
        self.redirected: int | None = None
        self.skb: Skb | None = None
        self.routes: tuple[Route, ...] = ()
        self.prog_type = 0
        self.task: Callable[[], int] | None = None

    def create(self, spec: MapSpec) -> m.Map:
        """A new, empty map that programs can refer to."""
        kind = MAP_TYPES.get(spec.type, m.Absent)
        one = kind(spec, self.memory, self.cpus)
        self.maps[one.address] = one
        return one

    def map_at(self, address: int) -> m.Map:
        """The map behind a program's handle."""
        found = self.maps.get(address)
        if found is None:
            raise Trap(f"{address:#x} is no map")
        return found

    def keep(self, data: bytes) -> int:
        """The address of a copy of `data`, until the run ends: what a pointer argument points to."""
        region = self.memory.map(bytearray(data), "argument")
        self.kept.append(region)
        return region.base

    def settle(self) -> str:
        """After a run: take back addresses that were lent for it. What the program forgot to do, or ""."""
        for region in self.kept:
            self.memory.unmap(region)
        self.kept.clear()
        return "; ".join(filter(None, [one.settle() for one in self.maps.values()]))

    def the_packet(self) -> Packet:
        if self.frame is None:
            raise Trap("this program type has no packet")
        return self.frame

    def the_skb(self) -> Skb:
        if self.skb is None:
            raise Trap("this program type has no socket buffer")
        return self.skb
