"""`default=` chooses what an abort gives."""

import purebpf as bpf
from purebpf import Global, u64

table = Global[u64[4]]()


@bpf.xdp(default=bpf.XDP_PASS)
def careful(ctx):
    return table[ctx.packet[0]] + 1


@bpf.tc
def closed(ctx):
    assert ctx.packet[0] == 1
    return 0


@bpf.tc(default=bpf.TC_ACT_OK)
def opened(ctx):
    assert ctx.packet[0] == 1
    return 7


CASES = [
    {"run": "careful", "data": bytes([4]) + bytes(63), "retval": 2},
    {"run": "careful", "data": bytes([3]) + bytes(63), "retval": 1},
    {"run": "closed", "retval": 2},
    {"run": "closed", "data": bytes([1]) + bytes(63), "retval": 0},
    {"run": "opened", "retval": 0},
    {"run": "opened", "data": bytes([1]) + bytes(63), "retval": 7},
]
