"""Latency histogram in a global struct; log2 slots."""

import purebpf as bpf
from purebpf import Global, u32, u64


@bpf.struct
class Histogram:
    total: u64
    slots: u32[16]


h = Global[Histogram]()


def record(us: u64) -> None:
    slot = min(us.bit_length(), 15)
    h.slots[slot] += 1
    h.total += us


@bpf.xdp
def prog(ctx):
    for i in range(4):
        record(ctx.packet[i] << 8)
    return h.slots[9] * 10 + h.slots[0]


CASES = [{"data": b"\0\1\1\xff" + bytes(60), "retval": 21, "globals_after": {"h": {
    "total": (1 + 1 + 255) * 256, "slots": [1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1]}}}]
