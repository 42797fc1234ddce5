"""The left side is read before the right side's call changes it."""

import purebpf as bpf
from purebpf import Array, Global, u64

level = Array[u64](max_entries=1)
seen = Global[u64](0)


def raise_level():
    level[0] = 100
    return 10


@bpf.xdp
def prog(ctx):
    if level[0] < raise_level():
        seen.value += 1
    if seen.value + set_seen() == 41:
        return 1
    return 0


def set_seen():
    seen.value = 500
    return 40


CASES = [{"maps": {"level": {0: 3}}, "retval": 1, "maps_after": {"level": {0: 100}}, "globals_after": {"seen": 500}}]
