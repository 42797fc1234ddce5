"""Ranges with bounds and steps of every kind; the variable after the loop."""

from purebpf import i64, u32, u64


def evens(n: u32) -> i64:
    total = 0
    for i in range(0, n & 31, 2):
        total += i
    return total


def stepped(start: i64, stop: i64, step: u32) -> i64:
    n = 0
    for i in range(start, stop, (step & 7) + 1):
        n += 1
        if n > 50:
            break
    return n


def down(n: u32) -> i64:
    text = 0
    for i in range(n & 7, -1, -1):
        text = text * 10 + i
    return text


def last() -> i64:
    for i in range(3, 9, 2):
        pass
    return i


def far(start: u64) -> i64:
    n = 0
    for i in range(start, 2**64 - 1):
        n += 1
        if n == 5:
            break
    return n


def edge() -> i64:
    n = 0
    for i in range(2**63 - 3, 2**63 - 1):
        n += i & 7
    return n


CALLS = {
    "evens(10)": 20, "evens(0)": 0, "stepped(-3, 9, 3)": 3, "stepped(5, 5, 0)": 0, "stepped(0, 1000000, 0)": 51, "down(5)": 543210,
    "last()": 7, "far(18446744073709551613)": 2, "far(0)": 5, "edge()": 11,
}
