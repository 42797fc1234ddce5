"""Names are looked up when it is built: order in the file is free."""

import purebpf as bpf
from purebpf import Global, u32


@bpf.xdp
def prog(ctx):
    later.value += STEP
    return helper(later)


def helper(x):
    return x * STEP


later = Global[u32](5)
STEP = 3
STEP += 1

CASES = [{"retval": 36, "globals_after": {"later": 9}}]
