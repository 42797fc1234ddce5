"""Bit-fields: they wrap at their width, signed ones have a sign, neighbours stay."""

import purebpf as bpf
from purebpf import Global, i32, u8, u32


@bpf.struct
class Flags:
    version: u32[:3]
    urgent: u32[:1]
    count: u32[:12]
    delta: i32[:5]
    rest: u8


f = Global[Flags]()


@bpf.xdp
def prog(ctx):
    f.version = 1
    f.urgent = 1
    f.count += 4095
    f.count += 3
    f.delta -= 5
    f.rest = 0xAB
    if f.delta < 0 and f.urgent:
        return f.version * 100 + f.count
    return 0


CASES = [
    {"retval": 102, "globals_after": {"f": (1, 1, 2, -5, 0xAB)}},
    {"set": {"f": {"version": 7, "urgent": 0, "count": 10, "delta": -16, "rest": 1}}, "retval": 0,
     "globals_after": {"f": (1, 1, 12, 11, 0xAB)}},
]
