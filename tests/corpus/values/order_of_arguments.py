"""Arguments from left to right, also of a struct's constructor; an assignment's value before its target."""

import purebpf as bpf
from purebpf import Global, u32

n = Global[u32](0)
log = Global[u32[4]]()


@bpf.struct
class Pair:
    first: u32
    second: u32


def tick() -> u32:
    n.value += 1
    return n.value


def combine(a: u32, b: u32, c: u32) -> u32:
    return a * 100 + b * 10 + c


@bpf.xdp
def prog(ctx):
    total = combine(tick(), tick(), tick())
    p = Pair(second=tick(), first=tick())
    log[tick() - 6] = tick()
    return total * 100 + p.first * 10 + p.second


CASES = [{"retval": 12354, "globals_after": {"n": 7, "log": [0, 6, 0, 0]}}]
