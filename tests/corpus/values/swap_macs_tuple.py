"""The MAC addresses swapped as Python swaps."""

import purebpf as bpf
from purebpf.net import Ethernet


@bpf.xdp
def reflect(ctx):
    eth = ctx.packet.pull(Ethernet)
    if not eth:
        return 1
    eth.src, eth.dst = eth.dst, eth.src
    return 3


A, B = bytes(range(1, 7)), bytes(range(0x81, 0x87))
CASES = [{"data": A + B + bytes(52), "retval": 3, "after": B + A + bytes(52)}]
