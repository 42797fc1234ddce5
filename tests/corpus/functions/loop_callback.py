"""`bpf.loop` with a nested function that writes what it captures, and with one that stops it."""

import purebpf as bpf
from purebpf import Global, u64

table = Global[u64[16]]()


@bpf.xdp
def prog(ctx):
    total = 0
    n = ctx.packet[0]

    def add(i):
        nonlocal total
        total += i * n
        table[i & 15] = total

    def find(i):
        nonlocal total
        if table[i & 15] > 50:
            total += 1000 * i
            return True

    bpf.loop(10, add)
    bpf.loop(16, find)
    return total


CASES = [{"data": bytes([3]) + bytes(63), "retval": 6135, "globals_after": {
    "table": [0, 3, 9, 18, 30, 45, 63, 84, 108, 135, 0, 0, 0, 0, 0, 0]}}]
