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
    n = counts.lookup(8)
    if n is not None:
        n.value = 80
    if 9 in counts:
        del counts[9]
    return counts.get(7, 0) + 1


CASES = [
    {"retval": 0},
    {"data": b"\2" + bytes(63), "maps": {"tenants": {2: {7: 5, 8: 1, 9: 1}}}, "retval": 7,
     "maps_after": {"tenants": {2: {7: 6, 8: 80}}}},
    {"data": b"\2" + bytes(63), "maps": {"tenants": {2: {}, 3: {7: 5}}}, "retval": 2,
     "maps_after": {"tenants": {2: {7: 1}, 3: {7: 5}}}},
    {"data": b"\x09" + bytes(63), "maps": {"tenants": {2: {7: 5}}}, "retval": 0},
]
