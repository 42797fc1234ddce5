"""`get` with a struct as its default: a copy of one or the other."""

import purebpf as bpf
from purebpf import HashMap, u32


@bpf.struct
class Limit:
    rate: u32 = 100
    burst: u32 = 10


limits = HashMap[u32, Limit](max_entries=8)


@bpf.xdp
def prog(ctx):
    limit = limits.get(ctx.packet[0], Limit(burst=3))
    limit.rate += 1
    again = limits.get(ctx.packet[0], None)
    if again is None:
        return limit.rate * 1000 + limit.burst
    return limit.rate * 1000 + again.rate


CASES = [
    {"retval": 101003, "maps_after": {"limits": {}}},
    {"maps": {"limits": {0: {"rate": 7, "burst": 8}}}, "retval": 8007, "maps_after": {"limits": {0: (7, 8)}}},
]
