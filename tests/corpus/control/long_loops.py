"""Loops whose bound is not known, and long ones: a million rounds, a million at most."""

import purebpf as bpf
from purebpf import Global, u64

limit = Global[u64](0)
found = Global[u64](0)


@bpf.xdp
def count(ctx):
    total = 0
    for i in range(limit.value):
        total += i
    found.value = total
    return 2


@bpf.xdp
def million(ctx):
    n = 0
    for i in range(1_000_000):
        if i & 1:
            n += 1
    return n


CASES = [
    {"run": "count", "set": {"limit": 1000}, "retval": 2, "globals_after": {"found": 499500}},
    {"run": "count", "set": {"limit": 0}, "retval": 2, "globals_after": {"found": 0}},
]
