"""Which map is chosen at run time."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

inbound = HashMap[u32, u64](max_entries=8)
outbound = HashMap[u32, u64](max_entries=8)


@bpf.tc
def account(ctx):
    m = inbound if ctx.mark == 1 else outbound
    m[ctx.len] += 1
    return 0


CASES = [
    {"ctx": {"mark": 1}, "retval": 0, "maps_after": {"inbound": {64: 1}, "outbound": {}}},
    {"ctx": {"mark": 2}, "retval": 0, "maps_after": {"inbound": {}, "outbound": {64: 1}}},
]
