"""Any expression as key and value: constants, negative numbers, arithmetic, booleans, big-endian."""

import purebpf as bpf
from purebpf import HashMap, be32, i16, i32, u8, u16

a = HashMap[i16, i32](max_entries=8)
b = HashMap[be32, bool](max_entries=8)
c = HashMap[u8, u16](max_entries=8)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    a[-n] = -n * 1000
    a[n - 300] = 7 - n
    b[0x7F000001] = n > 3
    b[n << 8] = n & 4
    c[n * 2] = n * n * n
    a[-1] -= 5
    if a.get(-n) == -n * 1000 and b.get(0x7F000001):
        return 1
    return 0


CASES = [{"data": bytes([200]) + bytes(63), "retval": 1, "maps_after": {
    "a": {-200: -200000, -100: -193, -1: -5}, "b": {0x7F000001: True, 200 << 8: False}, "c": {144: 8000000 & 0xFFFF}}}]
