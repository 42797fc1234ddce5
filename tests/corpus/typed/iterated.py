"""Loops over maps, arrays and numbers; callbacks."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, u8, u32, u64


@bpf.struct
class Sample:
    values: Array[u8, Literal[4]]
    weight: u32 = 1


ages = HashMap[u32, u64](max_entries=8)
levels = Array[u32](max_entries=4)
samples = HashMap[u32, Sample](max_entries=8)
total = Global[u64](0)
weights = Global[u64](0)
largest = Global[u32](0)


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    n = 0
    for key, age in ages:
        n += key + age.value
    for i, level in levels.items():
        n += i * level.value
    total.value = n
    for _, sample in samples.items():
        weights.value += sample.weight + sum(sample.values)
        largest.value = max(sample.values)

    def step(i: int) -> bool:
        total.value += 1
        return i == 9

    bpf.loop(20, step)
    return bpf.XDP_PASS if any(v > 3 for v in (1, 2, 4)) else bpf.XDP_DROP


CASES = [{"retval": 2, "maps": {"ages": {1: 10, 2: 20}, "levels": {1: 5, 2: 6}, "samples": {3: ([1, 2, 3, 4], 5)}},
          "globals_after": {"total": 60, "weights": 15, "largest": 4}}]
