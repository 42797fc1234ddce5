"""A function that builds a struct, and one that gives two results."""

import purebpf as bpf
from purebpf import Global, u16, u32


@bpf.struct
class Span:
    start: u32
    stop: u32


def overlap(a: Span, b: Span) -> Span:
    return Span(start=max(a.start, b.start), stop=min(a.stop, b.stop))


def divide(n: u32, by: u16) -> tuple[u32, u32]:
    return n // by, n % by


out = Global[Span]()


@bpf.xdp
def prog(ctx):
    mine = Span(10, 20)
    theirs = Span(start=ctx.packet[0], stop=ctx.packet[1])
    both = overlap(mine, theirs)
    out.value = both
    q, r = divide(both.stop - both.start + 100, 7)
    return q * 10 + r


CASES = [
    {"data": bytes([5, 15]) + bytes(62), "retval": 150, "globals_after": {"out": (10, 15)}},
    {"data": bytes([15, 50]) + bytes(62), "retval": 150, "globals_after": {"out": (15, 20)}},
]
