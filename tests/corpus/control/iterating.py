"""Over arrays: plainly, with enumerate, zip and reversed, and over constants."""

import purebpf as bpf
from purebpf import Global, u16

a = Global[u16[5]]((1, 2, 3, 4, 5))
b = Global[u16[5]]((10, 20, 30, 40, 50))
WEIGHTS = (3, 1, 2)


@bpf.xdp
def prog(ctx):
    total = 0
    for x in a:
        total += x
    for i, x in enumerate(a, start=1):
        total += i * x
    for x, y in zip(a, b):
        total += x * y
    digits = 0
    for x in reversed(a):
        digits = digits * 10 + x
    for i, w in enumerate(WEIGHTS):
        digits += a[i] * w
    for i in reversed(range(3)):
        digits = digits * 10 + i
    return digits + total


CASES = [{"retval": 15 + 55 + 550 + (54321 + 3 + 2 + 6) * 1000 + 210}]
