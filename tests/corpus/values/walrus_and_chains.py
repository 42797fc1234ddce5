"""Walrus in conditions, chained comparisons that read once, conditional values."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64

counts = HashMap[u32, u64](max_entries=8)
reads = Global[u32](0)


def level() -> u32:
    reads.value += 1
    return reads.value * 10


@bpf.xdp
def prog(ctx):
    score = 0
    if 5 < level() < 15:
        score += 1
    if (n := counts.get(1)) is not None and n > 3:
        score += n * 10
    while (k := level()) < 50:
        score += k * 1000
    best = k if k > 40 else 0
    return score + (best == 50) * 100000


CASES = [
    {"retval": 190001, "globals_after": {"reads": 5}},
    {"maps": {"counts": {1: 7}}, "retval": 190071},
    {"maps": {"counts": {1: 3}}, "retval": 190001},
]
