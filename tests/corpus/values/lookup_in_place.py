"""`lookup` is the value in the map: what is written through it stays."""

import purebpf as bpf
from purebpf import HashMap, u32, u64


@bpf.struct
class Stats:
    packets: u64
    last_len: u32


stats = HashMap[u32, Stats](max_entries=4)
plain = HashMap[u32, u64](max_entries=4)


@bpf.xdp
def prog(ctx):
    s = stats.lookup(0)
    n = plain.lookup(0)
    if s is None or n is None:
        return 0
    s.packets += 1
    s.last_len = len(ctx.packet)
    n.value = s.packets * 2
    again = stats.lookup(0)
    return again.packets if again else 99


CASES = [
    {"retval": 0},
    {"maps": {"stats": {0: {"packets": 4, "last_len": 0}}, "plain": {0: 1}}, "retval": 5,
     "maps_after": {"stats": {0: {"packets": 5, "last_len": 64}}, "plain": {0: 10}}},
]
