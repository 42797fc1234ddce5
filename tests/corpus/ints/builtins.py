"""min, max, abs, pow, divmod, sum, any, all, bit_length, bit_count, int.from_bytes."""

from purebpf import i32, i64, u32, u64


def clamp(x: i64, lo: i32, hi: i32) -> i64:
    return max(lo, min(x, hi))


def spread(a: i32, b: i32, c: i32) -> i64:
    return max(a, b, c) - min(a, b, c)


def distance(a: i32, b: i32) -> i64:
    return abs(a - b)


def slot(n: u64) -> i64:
    return n.bit_length()


def cube(n: i32) -> i64:
    return n**3 + pow(2, 5)


def minutes(seconds: u32) -> i64:
    m, s = divmod(seconds, 60)
    return m * 100 + s


def total(a: u32, b: u32, c: u32) -> i64:
    if any(x == 0 for x in (a, b, c)):
        return -1
    return sum((a, b, c))


def ones(n: u64) -> i64:
    return n.bit_count()


CALLS = {
    "clamp(-9, -5, 5)": -5, "clamp(9, -5, 5)": 5, "clamp(3, -5, 5)": 3, "spread(3, -4, 1)": 7, "distance(-2147483648, 2147483647)":
    4294967295, "slot(0)": 0, "slot(18446744073709551615)": 64, "slot(1024)": 11, "cube(-3)": 5, "minutes(125)": 205,
    "total(1, 2, 3)": 6, "total(1, 0, 3)": -1, "ones(255)": 8, "ones(18446744073709551615)": 64,
}
