"""What a function answers is known, but what it does has to happen: as an index, an exponent, a number of bytes, a factor."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, u32, u64

calls = Global[u64](0)
cells = Global[u32[4]]()
table = Array[u32](max_entries=4)
seen = HashMap[u32, u64](max_entries=4)


def two(k):
    calls.value += 1
    return 2 if k else 0


@bpf.xdp
def prog(ctx):
    for i in range(1):
        cells[two(i)] += 5
        table[two(i)] = 7
        seen[two(i)] = 1
    text = (3, 1, 4)
    total = text[two(1)] + cells[two(0)] + 3 ** two(1) + (1 << two(1)) + (calls.value if two(1) == 2 else 0)
    three = ctx.packet.bytes(0, two(1))
    if three is not None and three[two(0)] == 9:
        total += min(two(1), 1) + max(two(0), 3)
    for n, x in enumerate((1, 2), two(1)):
        total += n * x
    return total


CASES = [{"data": b"\x09" * 64, "retval": 4 + 5 + 9 + 4 + 8 + 1 + 3 + 2 + 6, "globals_after": {"calls": 13, "cells": [5, 0, 0, 0]},
          "maps_after": {"table": {0: 7}, "seen": {0: 1}}}]
