"""Comparisons between u64 and negative numbers are exact; chains read each side once."""

from purebpf import i32, i64, u64


def order(a: u64, b: i64) -> i64:
    if a < b:
        return 1
    if a == b:
        return 2
    return 3


def inside(x: i64, lo: i32, hi: u64) -> bool:
    return lo <= x < hi


def same_sign(a: i64, b: i64) -> bool:
    return not (a < 0 < b or b < 0 < a)


CALLS = {
    "order(0, -1)": 3, "order(18446744073709551615, -1)": 3, "order(5, 6)": 1, "order(5, 5)": 2,
    "inside(-1, -5, 3)": True, "inside(9223372036854775807, 0, 18446744073709551615)": True, "inside(3, -5, 3)": False,
    "same_sign(-1, 1)": False, "same_sign(0, -1)": True,
}
