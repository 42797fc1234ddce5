"""Send a frame back where it came from: the MAC addresses swapped through a temporary."""

import purebpf as bpf
from purebpf.net import Ethernet


@bpf.xdp
def reflect(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return bpf.XDP_ABORTED
    tmp = eth.src
    eth.src = eth.dst
    eth.dst = tmp
    return bpf.XDP_TX


A, B = bytes.fromhex("020000000001"), bytes.fromhex("0200000000fe")
CASES = [
    {"data": A + B + bytes(52), "retval": 3, "after": B + A + bytes(52)},
]
