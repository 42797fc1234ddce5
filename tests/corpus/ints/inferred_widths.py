"""Variables of loops get the type that their values need."""

import purebpf as bpf
from purebpf import Array, u32, u64


times = Array[u64](max_entries=4)


def fnv(a: u32, b: u32) -> u64:
    h = 0xCBF29CE484222325
    for byte in (a & 255, a >> 8 & 255, b & 255):
        h = u64((h ^ byte) * 0x100000001B3)
    return h


def power(x: u32, n: u32) -> u64:
    result = 1
    for _ in range(n & 15):
        result = u64(result * x)
    return result


@bpf.xdp
def total(ctx):
    t = 0
    for i in range(4):
        t += times[i]
    return t >> 62


CALLS = {"fnv(97, 98)": 16560467112517592754, "power(3, 4)": 81, "power(10, 15)": 10**15}
CASES = [{"run": "total", "maps": {"times": {0: 2**63, 1: 2**62, 2: 5, 3: 1}}, "retval": 3}]
