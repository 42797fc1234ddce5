"""Everything that a hash does in a program."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

m = HashMap[u32, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    score = 0
    m[1] = 10
    m[1] += 5
    m[2] -= 1
    m[3] |= 6
    m[3] ^= 3
    if 1 in m and 9 not in m:
        score += 1
    del m[9]
    del m[2]
    if m.update(1, 99, bpf.NOEXIST) != 0:
        score += 10
    if m.update(4, 44, bpf.EXIST) != 0:
        score += 100
    m.update(5, 55)
    six = m.setdefault(6, 66)
    six.value += 1
    m.setdefault(1, 1).value += 1
    return score


CASES = [{"retval": 111, "maps_after": {"m": {1: 16, 3: 5, 5: 55, 6: 67}}}]
