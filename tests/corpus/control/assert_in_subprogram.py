"""assert, and an index outside, end the whole program also from a subprogram of a subprogram."""

import purebpf as bpf
from purebpf import Global, u32, u64

table = Global[u64[4]]((10, 20, 30, 40))
reached = Global[u32](0)


@bpf.func
def checked(i: u32) -> u64:
    assert i != 2
    return table[i]


@bpf.func
def twice(i: u32) -> u64:
    n = checked(i)
    reached.value += 1
    return n * 2


@bpf.xdp
def prog(ctx):
    n = twice(ctx.packet[0])
    reached.value += 10
    return n


CASES = [
    {"data": bytes([1]) + bytes(63), "retval": 40, "globals_after": {"reached": 11}},
    {"data": bytes([2]) + bytes(63), "retval": 0, "globals_after": {"reached": 0}},
    {"data": bytes([9]) + bytes(63), "retval": 0, "globals_after": {"reached": 0}},
]
