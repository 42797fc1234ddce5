"""One of each map that a program looks up by key."""

from typing import Literal

import purebpf as bpf
from purebpf import (
    Array, BloomFilter, Global, HashMap, LpmTrie, LruHash, LruPerCpuHash, PerCpuArray, PerCpuHash, Queue, Stack, u8, u16, u32, u64,
)


@bpf.struct
class Prefix:
    bits: u32
    address: Array[u8, Literal[4]]


@bpf.struct
class Entry:
    hits: u32 = 0
    last: u64 = 0


entries = HashMap[u32, Entry](max_entries=8)
recent = LruHash[u16, u32](max_entries=8)
local = PerCpuHash[u32, Entry](max_entries=8)
recent_local = LruPerCpuHash[u32, u64](max_entries=8)
routes = LpmTrie[Prefix, u32](max_entries=8)
slots = Array[Entry](max_entries=4)
numbers = PerCpuArray[u64](max_entries=4)
waiting = Queue[Entry](max_entries=4)
done = Stack[u32](max_entries=4)
known = BloomFilter[u32](max_entries=64)
answer = Global[u64](0)


def note(e: Entry, now: int) -> None:
    e.hits += 1
    e.last = now


@bpf.tc
def program(ctx: bpf.TcContext) -> bpf.TcAction:
    size = ctx.len
    entry = entries.lookup(size)
    if entry is None:
        entries[size] = Entry(hits=3)
    else:
        note(entry, 7)
    note(entries.setdefault(9, Entry()), 8)
    entries[9].hits += 1
    recent[size & 0xFF] = size
    note(local.setdefault(1, Entry()), 5)
    recent_local[2] += size
    route = routes.lookup(Prefix(bits=32, address=[10, 1, 2, 3]))
    if route is not None:
        answer.value = route.value
    note(slots[2], size)
    if slot := slots.lookup(3):
        slot.hits = 2
    numbers[1] += 4
    waiting.push(Entry(last=size))
    first = waiting.pop()
    done.push(5)
    top = done.peek()
    if first is None or top is None:
        return bpf.TC_ACT_SHOT
    answer.value += first.last + top
    known.add(size)
    if size not in known:
        return bpf.TC_ACT_SHOT
    del recent[size & 0xFF]
    return bpf.TC_ACT_OK


CASES = [{
    "retval": 0, "maps": {"routes": {(8, (10, 0, 0, 0)): 1000}}, "globals_after": {"answer": 1069},
    "maps_after": {"entries": {64: (3, 0), 9: (2, 8)}, "recent": {}, "slots": {2: (1, 64), 3: (2, 0)}, "done": [5]},
}]
