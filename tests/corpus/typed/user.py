"""A program annotated throughout, as type checkers like it."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, RingBuf, char, u8, u16, u32, u64


@bpf.struct
class Event:
    pid: u32
    size: u32
    comm: Array[char, Literal[16]]
    head: Array[u8, Literal[4]]


@bpf.struct
class Total:
    packets: u64 = 0
    bytes: u64 = 0


events = RingBuf[Event](max_entries=4096)
totals = HashMap[u16, Total](max_entries=16)
errors = Global[u64](0)


@bpf.func
def add(t: Total, size: u32) -> u64:
    t.packets += 1
    t.bytes += size
    return t.packets


@bpf.xdp
def program(ctx: bpf.XdpContext) -> int:
    size = len(ctx.packet)
    t = totals.lookup(1)
    if t is None:
        totals[1] = Total(bytes=size)
        errors.value += 1
        return 2
    n = add(t, size)
    with events.reserve() as e:
        e.pid = n & 0xFF
        e.size = size
        e.comm = "typed"
        e.head[2] = 4
    return 1


CASES = [
    {"retval": 2, "maps_after": {"totals": {1: (0, 64)}}, "globals_after": {"errors": 1}},
    {"times": 2, "retval": 1, "maps_after": {"totals": {1: (1, 128)}}, "records": {"events": [(1, 64, "typed", [0, 0, 4, 0])]}},
]
