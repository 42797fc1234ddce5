"""An LRU of recent flows: the newest stay."""

import purebpf as bpf
from purebpf import LruHash, u32, u64

recent = LruHash[u32, u64](max_entries=64)


@bpf.xdp
def prog(ctx):
    for i in range(10):
        recent[i] = i * i
    return recent.get(9, 0)


CASES = [{"retval": 81, "maps_after": {"recent": {i: i * i for i in range(10)}}}]
