"""`Const` values set at load: numbers, flags, arrays; what is ruled out costs nothing."""

import purebpf as bpf
from purebpf import Const, Global, u16, u32

limit = Const[u32](10)
verbose = Const[bool](False)
ports = Const[u16[4]]([22, 80, 0, 0])
hits = Global[u32](0)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    if verbose:
        hits.value += 100
    for p in ports:
        if p and p == n:
            hits.value += 1
    return 1 if n > limit else 2


CASES = [
    {"data": bytes([22]) + bytes(63), "retval": 1, "globals_after": {"hits": 1}},
    {"data": bytes([22]) + bytes(63), "constants": {"limit": 50, "verbose": True}, "retval": 2, "globals_after": {"hits": 101}},
    {"data": bytes([9]) + bytes(63), "constants": {"ports": [9, 9, 9, 0]}, "retval": 2, "globals_after": {"hits": 3}},
]
