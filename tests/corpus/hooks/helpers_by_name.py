"""Helpers by the kernel's names: numbers, a value where memory is wanted, clocks, random numbers."""

import purebpf as bpf
from purebpf import Global, HashMap, helpers, u32, u64

m = HashMap[u32, u64](max_entries=4)
ok = Global[u32](0)


@bpf.tc
def prog(ctx):
    before = helpers.ktime_get_ns()
    r = helpers.get_prandom_u32() % 10
    helpers.map_update_elem(m, 5, before * 0 + 17, bpf.ANY)
    if r < 10:
        ok.value += 1
    if bpf.ktime_ns() >= before:
        ok.value += 10
    if bpf.cpu() < 4096 and bpf.random_u32() >= 0:
        ok.value += 100
    return m.get(5, 0)


CASES = [{"retval": 17, "globals_after": {"ok": 111}, "maps_after": {"m": {5: 17}}}]
