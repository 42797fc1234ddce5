"""None or a constant that is false, or true, or one of several: what `or`, `and` and `if` make of it."""

import purebpf as bpf
from purebpf import Global, u32

size = Global[u32](0)


def zero(k):
    return None if k & 1 else 0


def four(k):
    return None if k & 1 else 4


def empty(k):
    return None if k & 1 else ""


def several(k):
    if k & 1:
        return None
    return 0 if k & 2 else 3


@bpf.xdp
def prog(ctx):
    k = ctx.packet[0]
    total = (zero(k) or 7) + 10 * (four(k) or 7) + 100 * (several(k) or 7)
    if zero(k):
        total += 1000
    if not zero(k):
        total += 2000
    if empty(k):
        total += 4000
    if zero(k) is None:
        total += 8000
    if four(k) and several(k):
        total += 16000
    return total


CASES = [{"data": b"\0" * 64, "retval": 7 + 40 + 300 + 2000 + 16000}, {"data": b"\1" * 64, "retval": 777 + 10000},
         {"data": b"\2" * 64, "retval": 7 + 40 + 700 + 2000}]
