"""Maps, globals and constants with their types: None is tested, numbers are ints."""

import purebpf as bpf
from purebpf import Const, Global, HashMap, PerCpuArray, u16, u32, u64

limit = Const[u32](3)
seen = HashMap[u16, u64](max_entries=16)
totals = PerCpuArray[u64](max_entries=2)
last = Global[u32](0)


def bucket(size: int) -> int:
    return min(size // 64, 15)


@bpf.tc
def count(ctx: bpf.TcContext) -> int:
    key = bucket(ctx.len)
    n = seen.lookup(key)
    if n is None:
        seen[key] = 1
    elif n.value < limit:
        n.value += 1
    else:
        last.value = ctx.len
        return 2
    totals[0] += ctx.len
    value = seen.get(key)
    return 0 if value is None else value + 10


CASES = [
    {"retval": 11, "maps_after": {"seen": {1: 1}, "totals": {0: 64}}},
    {"times": 4, "retval": 2, "globals_after": {"last": 64}, "maps_after": {"seen": {1: 3}}},
    {"times": 2, "constants": {"limit": 1}, "retval": 2},
]
