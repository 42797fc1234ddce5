"""Arrays: read without a test, abort outside, struct entries in place."""

import purebpf as bpf
from purebpf import Array, u32, u64


@bpf.struct
class Cell:
    n: u32
    sum: u64


cells = Array[Cell](max_entries=4)
plain = Array[u32](max_entries=3)


@bpf.xdp
def prog(ctx):
    i = ctx.packet[0]
    plain[0] += 1
    plain[i] += 10
    c = cells[i]
    c.n += 1
    c.sum += i
    cells[i].sum += plain[0]
    return c.sum


CASES = [
    {"data": bytes([2]) + bytes(63), "times": 2, "retval": 7, "maps_after": {"plain": {0: 2, 2: 20}, "cells": {2: (2, 7)}}},
    {"data": bytes([0]) + bytes(63), "retval": 11, "maps_after": {"plain": {0: 11}, "cells": {0: (1, 11)}}},
    {"data": bytes([3]) + bytes(63), "retval": 0, "maps_after": {"plain": {0: 1}, "cells": {3: (0, 0)}}},
]
