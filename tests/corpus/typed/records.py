"""Records to user space, in every way; one is thought better of."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, PerfEventArray, RingBuf, char, u8, u32, u64


@bpf.struct
class Seen:
    size: u32
    name: Array[char, Literal[16]]
    first: Array[u8, Literal[4]]


big = RingBuf[Seen](max_entries=4096)
small = RingBuf[u64](max_entries=4096)
old = PerfEventArray[Seen](max_entries=64)


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    pkt = ctx.packet
    with big.reserve() as e:
        e.size = len(pkt)
        e.name = f"{e.size} bytes"
        for i in range(4):
            e.first[i] = pkt[i]
        if pkt[0] == 9:
            big.discard(e)
            return bpf.XDP_DROP
    if small.output(len(pkt)) != 0:
        return bpf.XDP_ABORTED
    old.output(ctx, Seen(size=1, name="old", first=[1]))
    return bpf.XDP_PASS


CASES = [
    {"data": bytes([1, 2, 3, 4]) + bytes(60), "retval": 2, "records": {"big": [(64, "64 bytes", [1, 2, 3, 4])], "small": [64]}},
    {"data": bytes([9]) + bytes(63), "retval": 1, "records": {"big": [], "small": []}},
]
