"""Constants are exact, however large; a literal takes the type of where it goes."""

import purebpf as bpf
from purebpf import Global, u64

KIB = 1 << 10
BIG = (1 << 100) >> 98
MASK = ~0xFF
SECOND = 10**9

n = Global[u64](0)


@bpf.xdp
def prog(ctx):
    n.value = 0xFFFF_FFFF_FFFF_FFFF
    n.value &= MASK
    if n > -1 and n >= 2**64 - 256:
        n.value //= 3 * KIB
    return BIG + (1 << 70 >> 68) + SECOND // 10**8


CASES = [{"retval": 18, "globals_after": {"n": (2**64 - 256) // 3072}}]
