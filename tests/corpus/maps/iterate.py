"""`for k, v in m`: the value in place, break, what is captured; items of an array map too."""

import purebpf as bpf
from purebpf import Array, HashMap, u32, u64

ages = HashMap[u32, u64](max_entries=16)
levels = Array[u64](max_entries=5)


@bpf.xdp
def prog(ctx):
    total = 0
    oldest: u64 = 0
    for k, v in ages:
        total += v.value
        v.value += 1
        if k > oldest:
            oldest = k
    n = 0
    for i, level in levels.items():
        if i == 3:
            break
        n += level.value
    return total * 1000 + oldest * 100 + n


CASES = [
    {"maps": {"ages": {1: 10, 5: 20}, "levels": {0: 1, 1: 2, 2: 3, 3: 50, 4: 60}}, "retval": 30506,
     "maps_after": {"ages": {1: 11, 5: 21}}},
    {"retval": 0},
]
