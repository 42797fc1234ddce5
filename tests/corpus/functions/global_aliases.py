"""A global function changes an entry by two names: that of its parameter, and one of its own."""

import purebpf as bpf
from purebpf import HashMap, Ptr, u32, u64


@bpf.struct
class Entry:
    n: u64


entries = HashMap[u32, Entry](max_entries=4)


@bpf.func(global_=True)
def both(entry: Ptr[Entry] | None, n: u64) -> u64:
    same = entries.lookup(1)
    if entry is None or same is None:
        return 0
    entry.n = 5
    same.n = n
    return entry.n


@bpf.xdp
def prog(ctx):
    return both(entries.lookup(1), len(ctx.packet))


CASES = [{"maps": {"entries": {1: (1,)}}, "retval": 64}, {"retval": 0}]
