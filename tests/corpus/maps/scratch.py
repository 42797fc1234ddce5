"""A large struct in a per-CPU array: what the stack does not hold."""

import purebpf as bpf
from purebpf import HashMap, PerCpuArray, char, u8, u32, u64


@bpf.struct
class Big:
    count: u64
    data: u8[1024]
    name: char[64]


scratch = PerCpuArray[Big](max_entries=1)
kept = HashMap[u32, Big](max_entries=4)


@bpf.xdp
def prog(ctx):
    big = scratch.lookup(0)
    if big is None:
        return 0
    big.count += 1
    for i in range(14):
        big.data[i * 70] = ctx.packet[i]
    big.name = "scratch"
    kept[1] = big
    big.count = 77
    copy = kept.lookup(1)
    if copy is None:
        return 1
    return copy.count * 1000 + copy.data[910] + len(copy.name)


CASES = [{"data": bytes(range(64)), "retval": 1020, "maps_after": {"kept": {1: {"count": 1, "name": "scratch"}}}}]
