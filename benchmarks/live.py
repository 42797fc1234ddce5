"""Reading what programs left: `python -m benchmarks.live`. Needs a kernel that allows bpf(2); numpy for its rows.

Ratios of CPU time, both sides in one run, in turns, medians. Events: 64-byte records out of a full ring, beside a lean loop over
the mapped ring (one `unpack_from` a record, one field used). Maps: a hash of 100,000 entries, beside a lean loop of system
calls (NEXT_KEY and LOOKUP through ctypes, nothing decoded). Commands: whole processes beside bpftool, where that is.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any

from purebpf import loader
from purebpf.btf import Builder
from purebpf.btf import types as t
from purebpf.errors import PureBpfError
from purebpf.isa import MapRef, assemble, decode
from purebpf.spec import FuncSpec, MapSpec, ObjectSpec, ProgramSpec

RING, BURST, RECORD = 1 << 22, 64, 64
ENTRIES = 100_000
PAGE = mmap.PAGESIZE


def spec() -> ObjectSpec:
    """An XDP program that sends BURST records of 64 bytes; a hash with values of a struct."""
    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    comm = b.add(t.Array(b.add(t.Int("char", 1, t.SIGNED)), u32, 16))
    event = b.add(t.Struct("event", RECORD, tuple(t.Member(name, kind, 8 * at) for name, kind, at in (
        ("pid", u32, 0), ("cpu", u32, 4), ("time", u64, 8), ("comm", comm, 16), ("a", u64, 32), ("b", u64, 40), ("c", u64, 48),
        ("d", u64, 56)))))
    pair = b.add(t.Struct("pair", 16, (t.Member("packets", u64, 0), t.Member("bytes", u64, 64))))
    text = "\n".join(f"*(u64 *)(r10 - {at}) = {at}" for at in range(8, RECORD + 8, 8))
    text += f"\nr1 = 1 ll\nr2 = r10\nr2 += -{RECORD}\nr3 = {RECORD}\nr4 = 1\ncall 130\n" * BURST + "exit"
    insns = tuple(i._replace(imm=0, ref=MapRef("events")) if i.slots == 2 else i for i in decode(assemble(text)))
    maps = (MapSpec("events", 27, 0, 0, RING, value_type=event),
            MapSpec("flows", 1, 4, 16, ENTRIES, key_type=u32, value_type=pair))
    return ObjectSpec({"fill": ProgramSpec(FuncSpec("fill", insns), "xdp", 6)}, maps={m.name: m for m in maps}, btf=b.build())


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    start = process_time()
    done = work()
    return process_time() - start, done


def lean_ring(fd: int) -> Callable[[], int]:
    """The naive loop of a binding's user: every header and one field of each record unpacked."""
    control = mmap.mmap(fd, PAGE)
    data = mmap.mmap(fd, PAGE + 2 * RING, prot=mmap.PROT_READ, offset=PAGE)
    header, field, position = struct.Struct("=I"), struct.Struct("=I"), struct.Struct("=Q")

    def drain() -> int:
        at, = position.unpack_from(control)
        end, = position.unpack_from(data)
        count = total = 0
        while at < end:
            place = PAGE + (at & (RING - 1))
            length, = header.unpack_from(data, place)
            if not length & 0x40000000:
                total += field.unpack_from(data, place + 8)[0]
                count += 1
            at += ((length & 0x3FFFFFFF) + 15) & ~7
        position.pack_into(control, 0, at)
        return count

    return drain


def one_by_one(fd: int) -> Callable[[], int]:
    """NEXT_KEY and LOOKUP, as lean as ctypes can."""
    libc = ctypes.CDLL(None)
    syscall = libc.syscall
    syscall.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint]
    key, after, value, attr = (ctypes.create_string_buffer(n) for n in (4, 4, 16, 32))
    elem = struct.Struct("=I4xQQQ")

    def walk() -> int:
        count, here = 0, 0
        while True:
            elem.pack_into(attr, 0, fd, here, ctypes.addressof(after), 0)
            if syscall(321, 4, ctypes.addressof(attr), 32) < 0:
                return count
            key.raw = after.raw
            here = ctypes.addressof(key)
            elem.pack_into(attr, 0, fd, here, ctypes.addressof(value), 0)
            syscall(321, 1, ctypes.addressof(attr), 32)
            count += 1

    return walk


def races(k: Any, rounds: int, bursts: int) -> None:
    events, flows = k["events"], k["flows"]
    readers: dict[str, Callable[[], int]] = {
        "lean loop over the ring": lean_ring(events.fileno()), "events as objects, one field used": lambda: sum(
            1 for e in events.events(timeout=0) if e.pid), "events as bytes": lambda: len(events.reader().raw())}
    walks: dict[str, Callable[[], int]] = {"lean loop of system calls": one_by_one(flows.fileno()),
                                           "items()": lambda: sum(1 for _ in flows.items()), "keys()": lambda: len(list(flows))}
    try:
        import numpy  # noqa: F401

        readers["events into numpy, one field used"] = lambda: int((events.read_numpy()["pid"] > 0).sum())
        walks["into numpy"] = lambda: len(flows.to_numpy()[0])
    except ImportError:
        print("numpy is not installed")
    flows.update({n: (n, 2 * n) for n in range(ENTRIES)})
    for title, ways, count, before in (
            ("events", readers, bursts * BURST, lambda: k["fill"].test_run(bytes(64), repeat=bursts)), ("entries", walks, ENTRIES, lambda: None)):
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                before()
                taken, got = cpu(way)
                times[name].append(taken)
                assert got == count, (name, got, count)
        lean = median(next(iter(times.values())))
        for name, taken_all in times.items():
            taken = max(median(taken_all), 1e-9)
            print(f"{name:<40}{count / taken:>14,.0f} {title}/s {lean / taken:>8.2f}x")


def commands(rounds: int) -> None:
    """Whole processes: ours, bpftool's, and Python's start by itself."""
    bpftool = shutil.which("bpftool")
    ways = {"python -c pass": [sys.executable, "-c", "pass"], "purebpf prog list": [sys.executable, "-m", "purebpf", "prog", "list"],
            "purebpf features": [sys.executable, "-m", "purebpf", "features"],
            **({"bpftool prog list": [bpftool, "prog", "list"], "bpftool feature probe": [bpftool, "feature", "probe"]} if bpftool else {})}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, command in ways.items():
            start = perf_counter()
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
            times[name].append(perf_counter() - start)
    for name, taken in times.items():
        print(f"{name:<40}{1000 * median(taken):>11,.0f} ms")


def main(rounds: int = 7, bursts: int = 700) -> int:
    """Print rates and ratios to the lean loops, and times of commands."""
    try:
        k = loader.load(spec())
    except PureBpfError as error:
        print(f"cannot run here: {error}")
        return 0
    with k:
        races(k, rounds, bursts)
    commands(rounds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
