"""Which function is called is chosen at run time, and from a table."""

import purebpf as bpf
from purebpf import u32, u64


def double(x: u32) -> u64:
    return x * 2


def square(x: u32) -> u64:
    return x * x


ACTIONS = (double, square)


@bpf.xdp
def prog(ctx):
    a, b = ctx.packet[0], ctx.packet[1]
    f = double if a < 10 else square
    total = f(a)
    for g in ACTIONS:
        total += g(b)
    return total


CASES = [
    {"data": bytes([3, 5]) + bytes(62), "retval": 6 + 10 + 25},
    {"data": bytes([12, 1]) + bytes(62), "retval": 144 + 3},
]
