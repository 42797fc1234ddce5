"""Packets per CPU queue, the plainest program there is."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64

total = Global[u64](0)
calls = HashMap[u32, u64](max_entries=16)


@bpf.xdp
def count(ctx):
    total.value += 1
    calls[7] += 2
    return 2


def double(x: u32) -> u64:
    return x * 2


CALLS = {"double(4)": 8, "double(2**32-1)": 2**33 - 2}
CASES = [{"times": 3, "retval": 2, "globals_after": {"total": 3}, "maps_after": {"calls": {7: 6}}}]
