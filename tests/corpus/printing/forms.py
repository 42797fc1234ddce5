"""print as in Python: any number of values, separators, strings, widths, repr."""

import purebpf as bpf
from purebpf import Global, char, i32, u64

name = Global[char[8]]("eth0")
big = Global[u64](2**64 - 1)
low = Global[i32](-7)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    print("start")
    print(f"n={n} x={n:x}")
    print("a", n, "b", sep="-")
    print(f"{n:>6}|{n:<4}|{n:04d}|")
    print(f"{name} {name!r} {big} {low}")
    print(1, 2, 3, 4, 5, n)
    return 2


CASES = [{"data": bytes([42]) + bytes(63), "retval": 2, "prints": [
    "start", "n=42 x=2a", "a-42-b", "    42|42  |0042|", "eth0 'eth0' 18446744073709551615 -7", "1 2 3 4 5 42"]}]
