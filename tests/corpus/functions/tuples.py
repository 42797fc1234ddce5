"""Functions that give two and three results, and take them apart."""

from purebpf import i64, u8, u32


def split(addr: u32) -> tuple[u32, u32, u32, u32]:
    return addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255


def minmax(a: u32, b: u32) -> tuple[u32, u32]:
    if a < b:
        return a, b
    return b, a


def dotted(addr: u32) -> i64:
    a, b, c, d = split(addr)
    return ((a * 1000 + b) * 1000 + c) * 1000 + d


def spread(a: u32, b: u32, c: u32) -> i64:
    lo, hi = minmax(a, b)
    lo, _ = minmax(lo, c)
    pair = minmax(hi, c)
    return pair[1] - lo


def first_two(n: u8) -> i64:
    parts = split(n * 0x01010101)
    return parts[0] + parts[-1]


CALLS = {"dotted(0x0A0000FE)": 10000000254, "spread(5, 1, 9)": 8, "spread(5, 7, 6)": 2, "first_two(3)": 6}
