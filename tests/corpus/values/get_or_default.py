"""`get` with a default, with `or`, compared, and asked for truth: numbers as in Python."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

limits = HashMap[u32, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    limit = limits.get(1) or 50
    other = limits.get(2, 70)
    score = 0
    if limits.get(3):
        score += 1
    if limits.get(4) == 5:
        score += 10
    if limits.get(5) == 5:
        score += 100
    if not limits.get(6):
        score += 1000
    return limit + other * 100 + score * 100000


CASES = [
    {"retval": 50 + 7000 + 1000 * 100000},
    {"maps": {"limits": {1: 0, 2: 0, 3: 0, 4: 5, 5: 6, 6: 1}}, "retval": 50 + 10 * 100000},
    {"maps": {"limits": {1: 9, 2: 3, 3: 1, 5: 5}}, "retval": 9 + 300 + 1101 * 100000},
]
