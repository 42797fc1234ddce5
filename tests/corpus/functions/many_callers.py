"""One function with struct, map and number arguments, called from two programs and from itself never."""

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, u32, u64
from purebpf.net import Ethernet


@bpf.struct
class Tally:
    seen: u64
    bytes: u64


by_proto = HashMap[u32, Tally](max_entries=16)
by_len = HashMap[u32, Tally](max_entries=16)
all_of_it = Global[Tally]()


def add(t: Ptr[Tally], size: u32) -> None:
    t.seen += 1
    t.bytes += size


def tally(table, key, size):
    t = table.lookup(key)
    if t is None:
        table[key] = Tally(seen=1, bytes=size)
    else:
        add(t, size)
    add(all_of_it, size)


@bpf.xdp
def early(ctx):
    eth = ctx.packet.peek(Ethernet)
    if eth is None:
        return 0
    tally(by_proto, eth.proto, 64)
    tally(by_len, len(ctx.packet), 64)
    return 2


@bpf.tc
def late(ctx):
    tally(by_len, ctx.len, 10)
    return 0


CASES = [
    {"run": "early", "data": bytes(12) + b"\x08\0" + bytes(50), "times": 2, "retval": 2, "maps_after": {
        "by_proto": {0x0800: (2, 128)}, "by_len": {64: (2, 128)}}, "globals_after": {"all_of_it": (4, 256)}},
    {"run": "late", "retval": 0, "maps_after": {"by_len": {64: (1, 10)}}, "globals_after": {"all_of_it": (1, 10)}},
]
