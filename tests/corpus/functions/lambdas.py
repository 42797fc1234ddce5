"""Lambdas, at module level and in place; a function as an argument."""

import purebpf as bpf
from purebpf import Global, u32, u64

square = lambda x: x * x  # noqa: E731
hits = Global[u64](0)


def apply(f, a, b):
    return f(a) + f(b)


def bump(n: u32) -> None:
    hits.value += n


@bpf.xdp
def prog(ctx):
    k = ctx.packet[0]
    bpf.loop(4, lambda i: bump(i))
    return apply(square, k, 2) * 100 + apply(lambda x: x + k, 1, 2)


CASES = [{"data": bytes([3]) + bytes(63), "retval": 1309, "globals_after": {"hits": 6}}]
