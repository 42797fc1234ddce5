"""A loop whose bound is known at run time, around loops that end when something is found."""

import purebpf as bpf
from purebpf import Array, Global, u32, u64

tries = Array[u32](max_entries=8)
total = Global[u64](0)
text = Global[u64](7)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0] & 7
    for i in range(n):
        found = 0
        while True:
            found += 1
            if found > i or text.value // found == 2:
                break
        tries[i] = found
        total.value += found
    for i in range(1, n):
        k = n
        while k:
            k >>= 1
            total.value += k * i
    return total.value


def expected(n):
    tries = [next(f for f in range(1, 99) if f > i or 7 // f == 2) for i in range(n)]
    halves, k = 0, n
    while k:
        k >>= 1
        halves += k
    return sum(tries) + halves * sum(range(1, n)), tries


CASES = [{"data": bytes([n]) + bytes(63), "retval": expected(n)[0], "maps_after": {"tries": dict(enumerate(expected(n)[1]))}} for n in range(8)]
