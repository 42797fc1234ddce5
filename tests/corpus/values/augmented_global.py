"""A counter changed by the function whose result is added to it."""

import purebpf as bpf
from purebpf import Global, u64

hits = Global[u64](0)
misses = Global[u64](0)


def reset() -> u64:
    hits.value = 10
    misses.value = 3
    return 1


@bpf.xdp
def prog(ctx):
    hits.value += reset()
    first = hits.value
    misses.value = misses + reset() * 5
    return first * 1000 + hits * 10 + misses


CASES = [{"set": {"hits": 6, "misses": 4}, "retval": 7108, "globals_after": {"hits": 10, "misses": 8}}]
