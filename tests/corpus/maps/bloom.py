"""A bloom filter before the dear look-up."""

import purebpf as bpf
from purebpf import BloomFilter, u32

known = BloomFilter[u32](max_entries=64)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    if n in known:
        return 1
    known.add(n)
    return 2 if n in known else 3


CASES = [{"retval": 2}, {"times": 2, "retval": 1}]
