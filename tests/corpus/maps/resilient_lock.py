"""Fields that change together, under a lock that is never waited for without end: the block is skipped where it is not got."""

import purebpf as bpf
from purebpf import Array, u64


@bpf.struct
class Bucket:
    lock: bpf.ResSpinLock
    tokens: u64
    spent: u64


buckets = Array[Bucket](max_entries=2)


@bpf.tc
def take(ctx):
    bucket = buckets.lookup(1)
    if bucket is None:
        return 1
    taken = 0
    with bucket.lock:
        if bucket.tokens < ctx.len:
            return 2
        bucket.tokens -= ctx.len
        bucket.spent += 1
        taken = 1
    assert taken
    return 0


CASES = [
    {"retval": 2},
    {"maps": {"buckets": {1: {"tokens": 200, "spent": 0}}}, "times": 3, "retval": 0, "maps_after": {"buckets": {1: {"tokens": 8, "spent": 3}}}},
]
JUDGES = ["kernel"]
