"""while with else, break, continue; the search that fails."""

from purebpf import i64, u32


def factor(n: u32) -> i64:
    d = 2
    while d * d <= n and d < 200:
        if n % d == 0:
            break
        d += 1
    else:
        return 0
    return d


def collatz(n: u32) -> i64:
    steps = 0
    while n != 1 and steps < 200:
        n = n // 2 if n % 2 == 0 else u32(3 * n + 1)
        steps += 1
    return steps


def skipping(n: u32) -> i64:
    total = 0
    i = 0
    while i < (n & 63):
        i += 1
        if i % 3 == 0:
            continue
        total += i
    return total


CALLS = {"factor(91)": 7, "factor(97)": 0, "collatz(27)": 111, "collatz(1)": 0, "skipping(10)": 37}
