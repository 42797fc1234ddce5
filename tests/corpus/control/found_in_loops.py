"""Copies of what is found in a map, in loops inside loops: each stands in the frame of its round."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, u8, u16, u32, u64


@bpf.struct
class Entry:
    total: u64
    name: Array[u8, Literal[4]]


entries = HashMap[u16, Entry](max_entries=16)
limit = Global[u32](0)
seen = Global[u64](0)


@bpf.xdp
def nested(ctx):
    entries[3] = Entry(total=5)
    for i in range(limit.value):
        for j in range(limit.value):
            one = entries.get((i + j) & 7)
            if one is not None:
                seen.value += one.total
                entries[3].total += 1
        other = entries.get(i & 7)
        if other is not None and other.total > 6:
            seen.value += 100
    return 2


@bpf.xdp
def kept(ctx):
    """The last one that was found is wanted behind the loop."""
    entries[3] = Entry(total=5)
    most = 0
    for i in range(limit.value):
        one = entries.get(i & 7)
        if one is None:
            continue
        most = max(most, one.total)
    return u32(most)


CASES = [
    {"run": "nested", "set": {"limit": 4}, "retval": 2, "globals_after": {"seen": 126}},
    {"run": "nested", "set": {"limit": 0}, "retval": 2, "globals_after": {"seen": 0}},
    {"run": "kept", "set": {"limit": 5}, "retval": 5},
]
