"""Two fields that change together, under a lock in the value."""

import purebpf as bpf
from purebpf import HashMap, u32, u64


@bpf.struct
class Bucket:
    lock: bpf.SpinLock
    tokens: u64
    spent: u64


buckets = HashMap[u32, Bucket](max_entries=8)


@bpf.tc
def take(ctx):
    b = buckets.lookup(1)
    if b is None:
        buckets[1] = Bucket(tokens=100, spent=1)
        return 9
    size = ctx.len
    with b.lock:
        if b.tokens < size:
            return 2
        b.tokens -= size
        b.spent += size
    return 0


CASES = [
    {"retval": 9},
    {"times": 2, "retval": 0, "maps_after": {"buckets": {1: {"tokens": 36, "spent": 65}}}},
    {"times": 3, "retval": 2, "maps_after": {"buckets": {1: {"tokens": 36, "spent": 65}}}},
]
