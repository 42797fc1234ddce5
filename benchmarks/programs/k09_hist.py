"""Raw tracepoint: latency histogram in powers of two, per id."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

SLOTS = 32


@bpf.struct
class Hist:
    slots: u64[SLOTS]
    sum: u64
    count: u64
    max: u64


hists = HashMap[u32, Hist](max_entries=256)


@bpf.raw_tracepoint("sys_enter")
def k09_hist(ctx):
    id = u32(ctx.args[0])
    us = ctx.args[1] // 1000
    slot = min(max(us.bit_length() - 1, 0), SLOTS - 1)
    h = hists.setdefault(id, Hist())
    bpf.atomic_add(h.slots[slot], 1)
    bpf.atomic_add(h.sum, us)
    bpf.atomic_add(h.count, 1)
    if us > h.max:
        h.max = us
    return slot
