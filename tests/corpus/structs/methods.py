"""Methods are functions of self, in place and on copies."""

import purebpf as bpf
from purebpf import Array, HashMap, u32, u64


@bpf.struct
class Bucket:
    tokens: u64
    last: u64

    def refill(self, now: u64, rate: u64) -> None:
        self.tokens = min(self.tokens + (now - self.last) * rate, 1000)
        self.last = now

    def take(self, n: u64) -> bool:
        if self.tokens < n:
            return False
        self.tokens -= n
        return True


clock = Array[u64](max_entries=1)
buckets = HashMap[u32, Bucket](max_entries=16)


@bpf.xdp
def limit(ctx):
    b = buckets.lookup(1)
    if b is None:
        buckets[1] = Bucket(tokens=10)
        return 2
    b.refill(clock[0], 5)
    return 2 if b.take(40) else 1


CASES = [
    {"retval": 2, "maps_after": {"buckets": {1: (10, 0)}}},
    {"maps": {"clock": {0: 7}, "buckets": {1: {"tokens": 10, "last": 0}}}, "retval": 2,
     "maps_after": {"buckets": {1: (5, 7)}}},
    {"maps": {"clock": {0: 7}, "buckets": {1: {"tokens": 4, "last": 0}}}, "retval": 1,
     "maps_after": {"buckets": {1: (39, 7)}}},
    {"maps": {"clock": {0: 900}, "buckets": {1: {"tokens": 4, "last": 0}}}, "retval": 2,
     "maps_after": {"buckets": {1: (960, 900)}}},
]
