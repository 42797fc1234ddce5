"""`and`, `or`, conditional expressions and walrus give values."""

from purebpf import i64, u32


def default(x: u32, y: u32) -> i64:
    return x or y or 99


def both(x: u32, y: u32) -> i64:
    return x and y


def grade(n: u32) -> i64:
    return 1 if n > 90 else 2 if n > 80 else 3


def halves(n: u32) -> i64:
    if (half := n // 2) > 10:
        return half
    return -half


def nested(a: u32, b: u32) -> i64:
    return (a and (b or 7)) + (b if a else -1)


CALLS = {
    "default(0, 0)": 99, "default(0, 4)": 4, "default(3, 4)": 3, "both(0, 5)": 0, "both(2, 5)": 5, "grade(95)": 1,
    "grade(85)": 2, "grade(1)": 3, "halves(100)": 50, "halves(7)": -3, "nested(0, 5)": -1, "nested(2, 0)": 7, "nested(2, 3)": 6,
}
