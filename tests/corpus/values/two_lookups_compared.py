"""Two entries compared by value, not by where they lie."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

balance = HashMap[u32, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    a = balance.lookup(1)
    b = balance.lookup(2)
    if a is None or b is None:
        return 0
    if a.value == b.value:
        return 1
    if balance.get(1, 0) > balance.get(2, 0):
        return 2
    return 3


CASES = [
    {"maps": {"balance": {1: 5}}, "retval": 0},
    {"maps": {"balance": {1: 5, 2: 5}}, "retval": 1},
    {"maps": {"balance": {1: 6, 2: 5}}, "retval": 2},
    {"maps": {"balance": {1: 4, 2: 5}}, "retval": 3},
]
