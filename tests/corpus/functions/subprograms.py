"""BPF subprograms: with writes, with early returns, called in loops and in expressions."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64

seen = HashMap[u32, u64](max_entries=16)
calls = Global[u64](0)


@bpf.func
def note(key: u32, n: u64) -> u64:
    calls.value += 1
    seen[key] += n
    return seen.get(key, 0)


@bpf.func
def digit_sum(n: u64) -> u64:
    total = 0
    while n:
        total += n % 10
        n //= 10
    return total


@bpf.xdp
def prog(ctx):
    total = 0
    for i in range(3):
        total += note(i, 5) * note(i, 1)
    return total + digit_sum(12345)


CASES = [{"retval": 105, "globals_after": {"calls": 6}, "maps_after": {"seen": {0: 6, 1: 6, 2: 6}}}]
