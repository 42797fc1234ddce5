"""A boolean is a number where it is used as one."""

from purebpf import i32, i64, u32


def sign(x: i32) -> i64:
    return (x > 0) - (x < 0)


def votes(a: u32, b: u32, c: u32) -> i64:
    return (a > 10) + (b > 10) + (c > 10)


def changed(v: i32, prev: i32) -> bool:
    return (v < 0) != (prev < 0)


def pick(flag: bool, a: u32, b: u32) -> i64:
    return a * flag + b * (not flag)


def crossings(a: i32, b: i32, c: i32, d: i32) -> i64:
    n = 0
    prev = a
    for v in (b, c, d):
        n += (v < 0) != (prev < 0)
        prev = v
    return n


CALLS = {
    "sign(-5)": -1, "sign(0)": 0, "sign(9)": 1, "votes(11, 0, 12)": 2, "votes(0, 1, 2)": 0, "changed(-1, 1)": True,
    "changed(-1, -7)": False, "pick(1, 5, 6)": 5, "pick(0, 5, 6)": 6, "crossings(1, -1, -2, 3)": 2, "crossings(0, 0, 0, 0)": 0,
}
