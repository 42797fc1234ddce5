"""Operators on globals and constants as they stand, without `.value`."""

import purebpf as bpf
from purebpf import Const, Global, u32, u64

a = Global[u64](40)
b = Global[u32](7)
k = Const[u32](3)


@bpf.xdp
def prog(ctx):
    total = a + b * k - 1
    if a > b and not b < k and -b < 0:
        total += a // k + (a << 1) + b % k
    if b in (5, 7) and min(a, b) == 7:
        total += max(k, b).bit_length()
    b.value = total & 0xFF
    return total


CASES = [{"retval": 40 + 21 - 1 + 13 + 80 + 1 + 3, "globals_after": {"b": 157}}]
