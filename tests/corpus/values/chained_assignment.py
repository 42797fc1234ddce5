"""`a = b = x` and unpacking: the value first, then the targets from left to right."""

import purebpf as bpf
from purebpf import Global, u32

a = Global[u32[4]]()


@bpf.xdp
def prog(ctx):
    i = j = 1
    i, a[i] = 2, 77
    x, y, z = i, j, i + j
    a[0] = a[3] = x + y + z
    (p, q), r = (x, y), z
    return p * 100 + q * 10 + r


CASES = [{"retval": 213, "globals_after": {"a": [6, 0, 77, 6]}}]
