"""Tail calls through a table with initial contents; an empty entry goes on."""

import purebpf as bpf
from purebpf import Global, ProgArray, u32

trace = Global[u32](0)


@bpf.xdp
def tcp(ctx):
    trace.value = trace * 10 + 2
    return 6


@bpf.xdp
def udp(ctx):
    trace.value = trace * 10 + 3
    progs[0](ctx)
    return 17


progs = ProgArray(max_entries=4, values={0: tcp, 1: udp})


@bpf.xdp
def entry(ctx):
    trace.value = 1
    progs[ctx.packet[0]](ctx)
    trace.value += 100
    return 0


CASES = [
    {"run": "entry", "retval": 6, "globals_after": {"trace": 12}},
    {"run": "entry", "data": bytes([1]) + bytes(63), "retval": 6, "globals_after": {"trace": 132}},
    {"run": "entry", "data": bytes([3]) + bytes(63), "retval": 0, "globals_after": {"trace": 101}},
    {"run": "entry", "data": bytes([200]) + bytes(63), "retval": 0, "globals_after": {"trace": 101}},
]
