"""A local array or struct starts out as zero, each time round."""

import purebpf as bpf
from purebpf import Global, u8, u32

total = Global[u32](0)


@bpf.struct
class Acc:
    sum: u32
    n: u32


@bpf.xdp
def prog(ctx):
    for i in range(4):
        acc = Acc()
        seen = u8[8]()
        acc.sum += i
        acc.n += 1
        seen[i] += 1
        for x in seen:
            total.value += x
        total.value += acc.sum * 10 + acc.n * 100
    return 2


CASES = [{"retval": 2, "globals_after": {"total": 4 + 60 + 400}}]
