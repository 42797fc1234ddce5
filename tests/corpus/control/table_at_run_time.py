"""Constant tuples, lists, bytes and dicts indexed by what the packet says."""

import purebpf as bpf

SQUARES = [n * n for n in range(16)]
PRIO = {6: 1, 17: 2, 1: 9}
LETTERS = b"purebpf"
SIGNED = (-5, 0, 1 << 40)


@bpf.xdp
def prog(ctx):
    i = ctx.packet[0]
    total = SQUARES[i & 15] + LETTERS[i % 7]
    if i in PRIO:
        total += 1000 * PRIO[i]
    total += PRIO.get(i, 5) * 10000
    if SIGNED[i % 3] < 0:
        total += 100000
    return total + (SIGNED[2] >> 40) * 1000000


CASES = [
    {"data": bytes([6]) + bytes(63), "retval": 36 + ord("f") + 1000 + 10000 + 100000 + 1000000},
    {"data": bytes([17]) + bytes(63), "retval": 1 + ord("e") + 2000 + 20000 + 1000000},
    {"data": bytes([4]) + bytes(63), "retval": 16 + ord("b") + 50000 + 1000000},
]
