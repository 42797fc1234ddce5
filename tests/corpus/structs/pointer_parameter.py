"""A subprogram that takes a pointer to a struct, and one that takes a pointer to a field."""

import purebpf as bpf
from purebpf import HashMap, Ptr, u32, u64


@bpf.struct
class Stats:
    packets: u64
    bytes: u64


stats = HashMap[u32, Stats](max_entries=4)


@bpf.func
def account(s: Ptr[Stats], size: u32) -> u64:
    s.packets += 1
    s.bytes += size
    return s.packets


@bpf.func
def bump(n: Ptr[u64]) -> None:
    n.value += 100


@bpf.xdp
def prog(ctx):
    s = stats.lookup(1)
    if s is None:
        return 0
    account(s, 60)
    n = account(s, 40)
    local = Stats()
    account(local, 7)
    bump(bpf.addr(s.bytes))
    return n * 10 + local.bytes


CASES = [{"maps": {"stats": {1: {"packets": 3, "bytes": 0}}}, "retval": 57,
          "maps_after": {"stats": {1: (5, 200)}}}]
