"""assert ends the program with the hook's answer: aborted, visibly."""

import purebpf as bpf
from purebpf import Global, u32

reached = Global[u32](0)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    assert n < 10, "small numbers only"
    reached.value += 1
    return n


CASES = [
    {"data": bytes([3]) + bytes(63), "retval": 3, "globals_after": {"reached": 1}},
    {"data": bytes([30]) + bytes(63), "retval": 0, "globals_after": {"reached": 0}},
]
