"""How often a signal crosses zero: booleans compared as values, in a long loop."""

import purebpf as bpf
from purebpf import i8


@bpf.xdp
def crossings(ctx):
    pkt = ctx.packet
    n = 0
    prev = 0
    for _ in range(256):
        sample = pkt.pull(i8)
        if sample is None:
            break
        v = sample.value
        n += (v < 0) != (prev < 0)
        prev = v
    return n


CASES = [
    {"data": bytes([1, 255]) * 50, "retval": 99},
    {"data": bytes([255]) * 20, "retval": 1},
    {"data": bytes(64), "retval": 0},
]
