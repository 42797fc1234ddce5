"""Three elements of an array change places at once."""

import purebpf as bpf
from purebpf import Global, u8

ring = Global[u8[3]](b"abc")


@bpf.xdp
def rotate(ctx):
    ring[0], ring[1], ring[2] = ring[1], ring[2], ring[0]
    return ring[0]


CASES = [{"retval": 98, "globals_after": {"ring": list(b"bca")}}, {"times": 2, "retval": 99}]
