"""Bytes moved four places up in the same packet: source and target overlap."""

import purebpf as bpf
from purebpf import u8


@bpf.struct
class Twelve:
    data: u8[12]


@bpf.xdp
def move(ctx):
    pkt = ctx.packet
    low = pkt.at(0, Twelve)
    high = pkt.at(4, Twelve)
    if low is None or high is None:
        return 1
    high.data = low.data
    return 2


CASES = [{"data": bytes(range(64)), "retval": 2,
          "after": bytes(range(4)) + bytes(range(12)) + bytes(range(16, 64))}]
