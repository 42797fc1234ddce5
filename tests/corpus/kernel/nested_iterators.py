"""Iterators inside iterators, in functions, left early; arrays written at their numbers."""

import purebpf as bpf
from purebpf import Array, Global, u32, u64


@bpf.struct
class Table:
    square: u32[16]


table = Global[Table]()
hits = Array[u64](max_entries=8)
total = Global[u64](0)
found = Global[u32](0)


def span(a, b):
    s = 0
    for i in bpf.iter.num(a, b):
        s += i
    return s


@bpf.syscall
def walk(ctx):
    for i in bpf.iter.num(1000):
        for j in bpf.iter.num(i, i + 3):
            if j % 7 == 0:
                continue
            total.value += j
    for i in bpf.iter.num(0, 16):
        table.square[i] = i * i
        hits[i & 7] += 1
    for i in bpf.iter.num(0, 16):
        if table.square[i] > 50:
            found.value = i
            break
    else:
        return 1
    words = u64[2]()
    words[0], words[1] = 0b1011, 1
    bits = 0
    for bit in bpf.iter.bits(words):
        bits += bit
    return span(0, 4) + span(10, 12) + bits


JUDGES = ["kernel"]
CASES = [{
    "retval": 6 + 21 + 0 + 1 + 3 + 64, "maps_after": {"hits": {n: 2 for n in range(8)}},
    "globals_after": {"found": 8, "total": sum(j for i in range(1000) for j in range(i, i + 3) if j % 7)},
}]
