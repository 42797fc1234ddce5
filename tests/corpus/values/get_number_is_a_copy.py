"""A counter read before it is overwritten: the rate since the last packet."""

import purebpf as bpf
from purebpf import Array, u64

last = Array[u64](max_entries=1)
NOW = 1_000


@bpf.tc
def rate(ctx):
    then = last.get(0)
    last[0] = NOW
    if then is None:
        return 0
    return NOW - then


CASES = [{"maps": {"last": {0: 400}}, "retval": 600, "maps_after": {"last": {0: 1000}}}]
