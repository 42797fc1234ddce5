"""Branches that a constant rules out, with membership behind them."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

DEBUG = False
TRACE = 0
ALLOWED = (22, 80, 443)
hits = HashMap[u32, u64](max_entries=4)


@bpf.xdp
def prog(ctx):
    port = ctx.packet[0]
    if DEBUG and port in ALLOWED:
        return 5
    if not DEBUG or port in hits:
        hits[port] += 1
    while TRACE and port in hits:
        port -= 1
    if port in range(0, 4000, 2) and port not in ALLOWED:
        return 6
    return 7 if port in ALLOWED else 8


CASES = [
    {"data": bytes([80]) + bytes(63), "retval": 7, "maps_after": {"hits": {80: 1}}},
    {"data": bytes([82]) + bytes(63), "retval": 6},
    {"data": bytes([83]) + bytes(63), "retval": 8},
]
