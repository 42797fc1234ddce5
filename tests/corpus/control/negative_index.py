"""The last element is -1, also when the index is computed."""

import purebpf as bpf
from purebpf import Global, i32, u32

ring = Global[u32[4]]((5, 6, 7, 8))
back = Global[i32](0)


@bpf.xdp
def prog(ctx):
    ring[-2] += 10
    return ring[back.value] * 100 + ring[-1]


CASES = [
    {"set": {"back": -1}, "retval": 808},
    {"set": {"back": -4}, "retval": 508},
    {"set": {"back": -2}, "retval": 1708},
    {"set": {"back": 0}, "retval": 508},
    {"set": {"back": -5}, "retval": 0},
    {"set": {"back": 4}, "retval": 0},
]
