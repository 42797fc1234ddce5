"""Counters that several CPUs share: in a hash, in a field, in a global; min and max by hand."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, u32, u64


@bpf.struct
class Stats:
    n: u64
    flags: u32
    low: u32 = 0xFFFFFFFF


stats = HashMap[u32, Stats](max_entries=8)
total = Global[u64](0)
slots = Array[u64](max_entries=4)


@bpf.xdp
def prog(ctx):
    v = ctx.packet[0]
    s = stats.setdefault(1, Stats())
    bpf.atomic_add(s.n, v)
    bpf.atomic_add(total.value, 2)
    bpf.atomic_add(slots[v & 3], 5)
    stats[1].flags |= 1 << (v & 31)
    slots[v & 3] -= 1
    if v < s.low:
        s.low = v
    return s.n


CASES = [{"data": b"\3" + bytes(63), "times": 2, "retval": 6, "globals_after": {"total": 4},
          "maps_after": {"stats": {1: (6, 8, 3)}, "slots": {3: 8}}}]
