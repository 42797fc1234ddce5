"""Constants and variables of the object as the numbers they are."""

import purebpf as bpf
from purebpf import Const, Global, i64, u8, u16, u32, u64

limit = Const[u32](5)
ports = Const[u16](443)
verbose = Const[bool](False)
hits = Global[u64](0)
balance = Global[i64](-3)
flags = Global[u8](1)
result = Global[u64](0)


def doubled(n: int) -> int:
    return n * 2


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    global hits
    hits.value += 1
    hits += 1
    if limit < 5 or 5 < limit or limit != 5:
        return bpf.XDP_DROP
    balance.value -= limit.value
    flags.value |= 1 << 3
    result.value = hits * 100 + 10 - limit + (ports & 1) + doubled(limit.value)
    for i in range(limit):
        result.value += i
    if verbose:
        return bpf.XDP_TX
    return bpf.XDP_PASS if -balance > 7 and ports == 443 else bpf.XDP_DROP


CASES = [
    {"retval": 2, "globals_after": {"hits": 2, "balance": -8, "flags": 9, "result": 226}},
    {"retval": 1, "constants": {"limit": 4}},
    {"retval": 3, "constants": {"verbose": True}},
]
