"""A counter map per tenant: looked up, then used as a map."""

import purebpf as bpf
from purebpf import ArrayOfMaps, HashMap, u32, u64

tenants = ArrayOfMaps(inner=HashMap[u32, u64](max_entries=16), max_entries=4)


@bpf.xdp
def prog(ctx):
    counts = tenants.lookup(ctx.packet[0])
    if counts is None:
        return 0
    counts[7] += 1
    return counts.get(7, 0) + 1


CASES = [{"retval": 0}]
