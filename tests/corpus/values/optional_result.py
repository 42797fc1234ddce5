"""A plain function that gives a number or None."""

import purebpf as bpf
from purebpf import u32


def small_root(n: u32):
    for i in range(17):
        if i * i == n:
            return i
    return None


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    root = small_root(n)
    if root is None:
        return 1000 + n
    return root


CASES = [
    {"data": bytes([49]) + bytes(63), "retval": 7},
    {"data": bytes([0]) + bytes(63), "retval": 0},
    {"data": bytes([50]) + bytes(63), "retval": 1050},
]
