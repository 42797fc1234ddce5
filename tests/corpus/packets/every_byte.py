"""A loop over all bytes of the packet, and one from the end."""

import purebpf as bpf
from purebpf import u32


@bpf.xdp
def sum_all(ctx):
    pkt = ctx.packet
    total = 0
    for i in range(len(pkt)):
        total += pkt[i]
    return total * 100 + pkt[len(pkt) - 1]


@bpf.xdp
def words(ctx):
    pkt = ctx.packet
    total = 0
    for _ in range(200):
        word = pkt.pull(u32)
        if word is None:
            break
        total ^= word.value
    return total


CASES = [
    {"run": "sum_all", "data": bytes([1]) * 64, "retval": 6401},
    {"run": "sum_all", "data": bytes([1]) * 300 + b"\2", "retval": 30202},
    {"run": "words", "data": b"\1\0\0\0\2\0\0\0" * 4 + b"\4\0\0\0" + b"\xff\xff", "retval": 4, "big": {"retval": 4 << 24}},
]
