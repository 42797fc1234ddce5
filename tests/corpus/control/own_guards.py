"""The guards that users write themselves: and with a mask, min, an early return, two arrays with one index."""

import purebpf as bpf
from purebpf import Global, u64

a = Global[u64[8]]()
b = Global[u64[4]]()


@bpf.xdp
def prog(ctx):
    i = ctx.packet[0] // 3
    a[i & 7] += 1
    a[min(i, 6)] += 10
    if i >= 8:
        return 1
    total = a[i]
    if i < 4:
        total += b[i] + a[i]
    for n in range(3):
        total += a[i] + n
    return total


CASES = [
    {"data": bytes([9]) + bytes(63), "retval": 58, "globals_after": {"a": [0, 0, 0, 11, 0, 0, 0, 0]}},
    {"data": bytes([21]) + bytes(63), "retval": 7, "globals_after": {"a": [0, 0, 0, 0, 0, 0, 10, 1]}},
    {"data": bytes([240]) + bytes(63), "retval": 1, "globals_after": {"a": [1, 0, 0, 0, 0, 0, 10, 0]}},
]
