"""An index that is a remainder or a quotient: the ranges that only the compiler knows."""

import purebpf as bpf
from purebpf import Array, Global, u8, u32, u64


@bpf.struct
class Ring:
    head: u32
    slots: u32[5]


ring = Global[Ring]()
histogram = Global[u64[10]]()
rings = Array[Ring](max_entries=1)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    local = u8[3]()
    for i in range(7):
        ring.slots[(n + i) % 5] += 1
        local[i % 3] += i
    histogram[n // 26] += 1
    r = rings.lookup(0)
    if r is None:
        return 0
    r.slots[r.head % 5] = n
    r.head += 1
    return ring.slots[n % 5] * 100 + local[min(n, 2)]


CASES = [
    {"data": bytes([8]) + bytes(63), "retval": 207, "globals_after": {
        "ring": {"slots": [1, 1, 1, 2, 2]}, "histogram": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]},
     "maps_after": {"rings": {0: (1, [8, 0, 0, 0, 0])}}},
    {"data": bytes([255]) + bytes(63), "retval": 207, "globals_after": {"histogram": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]}},
]
