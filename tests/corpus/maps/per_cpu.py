"""Per-CPU counters: a hash and an array; user space sees their sums."""

import purebpf as bpf
from purebpf import PerCpuArray, PerCpuHash, u32, u64

by_len = PerCpuHash[u32, u64](max_entries=16)
total = PerCpuArray[u64](max_entries=2)


@bpf.tc
def count(ctx):
    by_len[ctx.len] += 1
    total[0] += 1
    total[1] += ctx.len
    n = total.lookup(0)
    return n.value if n else 0


CASES = [{"retval": 1, "maps_after": {"by_len": {64: 1}, "total": {0: 1, 1: 64}}}]
