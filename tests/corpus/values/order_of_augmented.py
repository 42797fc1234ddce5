"""`a[f()] += g()`: f, then the element as it is then, then g."""

import purebpf as bpf
from purebpf import Global, u32

calls = Global[u32](0)
a = Global[u32[4]]()


def which():
    calls.value = calls * 10 + 1
    return 2


def amount():
    calls.value = calls * 10 + 2
    a[2] = 50
    return 5


@bpf.xdp
def prog(ctx):
    a[2] = 7
    a[which()] += amount()
    return a[2]


CASES = [{"retval": 12, "globals_after": {"calls": 12, "a": [0, 0, 12, 0]}}]
