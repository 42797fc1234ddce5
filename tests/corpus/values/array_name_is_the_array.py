"""A name bound to an array is that array: writing through it changes the struct."""

import purebpf as bpf
from purebpf import Global, u16, u64


@bpf.struct
class Histogram:
    count: u64
    slots: u16[8]


hist = Global[Histogram]()


@bpf.xdp
def prog(ctx):
    slots = hist.slots
    for i in range(8):
        slots[i] += i
    slots[-1] = 100
    hist.count += slots[2] + hist.slots[7]
    return len(slots)


CASES = [{"retval": 8, "globals_after": {"hist": {"count": 102, "slots": [0, 1, 2, 3, 4, 5, 6, 100]}}}]
