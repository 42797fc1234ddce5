"""Events read from a ring buffer, per second: `python -m benchmarks.ringbuf`. Needs a kernel that allows bpf(2).

A program fills the ring through test_run; then only the draining is timed. Ours as records and as bytes, and beside them,
where libbpf is installed, its `ring_buffer__consume` calling a Python function through ctypes, which is what Python
bindings of C readers do; once with the same decoding, once doing nothing. All in one process, in turns; medians.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
from collections.abc import Callable
from statistics import median
from time import perf_counter

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import PureBpfError
from purebpf.isa import Insn, MapRef, assemble, decode
from purebpf.spec import FuncSpec, MapSpec, ObjectSpec, ProgramSpec

RING = 1 << 22
BURST = 64  # records of one run of the program
EVENT = struct.Struct("=IIQ16s")


def spec() -> ObjectSpec:
    """An XDP program that sends BURST records of 32 bytes."""
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    comm = b.add(t.Array(b.add(t.Int("char", 1, t.SIGNED)), u32, 16))
    event = b.add(t.Struct("event", EVENT.size, (t.Member("pid", u32, 0), t.Member("cpu", u32, 32),
                                                 t.Member("time", u64, 64), t.Member("comm", comm, 128))))
    text = "\n".join(f"*(u64 *)(r10 - {at}) = {at}" for at in (8, 16, 24, 32))
    text += "\nr1 = 1 ll\nr2 = r10\nr2 += -32\nr3 = 32\nr4 = 1\ncall 130\n" * BURST + "exit"  # ringbuf_output, no wake-up
    insns = tuple(i._replace(imm=0, ref=MapRef("events")) if i.slots == 2 else i for i in decode(assemble(text)))
    program = ProgramSpec(FuncSpec("fill", insns), "xdp", 6)
    assert all(isinstance(i, Insn) for i in insns)
    return ObjectSpec({"fill": program}, maps={"events": MapSpec("events", 27, 0, 0, RING, value_type=event)},
                      btf=b.build())


def libbpf_reader(fd: int, work: Callable[[bytes], object] | None) -> Callable[[], int] | None:
    """A function that drains the ring through libbpf; None if libbpf is not there."""
    try:
        lib = ctypes.CDLL("libbpf.so.1")
    except OSError:
        return None
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)

    def sample(_: int, data: int, size: int) -> int:
        if work is not None:
            work(ctypes.string_at(data, size))
        return 0

    callback = kind(sample)
    lib.ring_buffer__new.restype = ctypes.c_void_p
    lib.ring_buffer__new.argtypes = [ctypes.c_int, kind, ctypes.c_void_p, ctypes.c_void_p]
    lib.ring_buffer__consume.argtypes = [ctypes.c_void_p]
    ring = lib.ring_buffer__new(fd, callback, None, None)

    def drain() -> int:
        return lib.ring_buffer__consume(ring) if callback else 0

    return drain


class Event:
    """What a binding's user decodes a record to."""

    __slots__ = ("pid", "cpu", "time", "comm")

    def __init__(self, data: bytes) -> None:
        self.pid, self.cpu, self.time, comm = EVENT.unpack_from(data)
        self.comm = comm.rstrip(b"\0").decode(errors="replace")


def main(rounds: int = 7, bursts: int = 1200) -> int:
    """Print events per second of each reader, and its ratio to ours with decoding."""
    try:
        k = loader.load(spec())
    except PureBpfError as error:
        print(f"cannot run here: {error}")
        return 0
    with k:
        ring, count = k["events"], bursts * BURST
        readers: dict[str, Callable[[], int]] = {
            "purebpf, records with attributes": lambda: sum(1 for _ in ring.events(timeout=0)),
            "purebpf, bytes": lambda: len(ring.ring.raw()),
        }
        for name, work in (("libbpf through ctypes, decoded", Event), ("libbpf through ctypes, callback only", None)):
            drain = libbpf_reader(ring.fileno(), work)
            if drain is not None:
                readers[name] = drain
        times: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(rounds):
            for name, drain in readers.items():
                k["fill"].test_run(bytes(64), repeat=bursts)
                start = perf_counter()
                got = drain()
                times[name].append(perf_counter() - start)
                assert got == count, (name, got, count)
    ours = median(times["purebpf, records with attributes"])
    for name, taken in times.items():
        print(f"{name:<40}{count / median(taken):>12,.0f} events/s {ours / median(taken):>8.2f}x")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
