"""Subprograms that are verified on their own: numbers, a pointer that may be None, the context."""

import purebpf as bpf
from purebpf import HashMap, Ptr, i32, u32, u64


@bpf.struct
class Entry:
    hits: u64
    last: u32


entries = HashMap[u32, Entry](max_entries=4)


@bpf.func(global_=True)
def score(a: u32, b: i32) -> i32:
    return a % 100 - b


@bpf.func(global_=True)
def touch(e: Ptr[Entry], now: u32) -> i32:
    if e is None:
        return -1
    e.hits += 1
    e.last = now
    return 0


@bpf.func(global_=True)
def length(ctx) -> i32:
    return len(ctx.packet)


@bpf.xdp
def prog(ctx):
    e = entries.lookup(1)
    if e is None or touch(e, 7) < 0:
        return 9
    return score(length(ctx), -1)


CASES = [
    {"retval": 9},
    {"maps": {"entries": {1: {"hits": 4, "last": 0}}}, "retval": 65, "maps_after": {"entries": {1: (5, 7)}}},
]
