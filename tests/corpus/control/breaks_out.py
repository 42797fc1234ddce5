"""break and continue in nested loops, else of the inner one, the variables afterwards."""

from purebpf import i64, u32


def first_prime_above(n: u32) -> i64:
    for candidate in range((n & 255) + 1, 400):
        for d in range(2, 20):
            if d * d > candidate:
                continue
            if candidate % d == 0:
                break
        else:
            if candidate > 1:
                return candidate
    return 0


def last_values(n: u32) -> i64:
    a = b = 0
    for a in range(10):
        if a == (n & 7):
            break
        for b in range(a, 10):
            if a + b > 9:
                break
    return a * 100 + b


CALLS = {"first_prime_above(0)": 2, "first_prime_above(7)": 11, "first_prime_above(89)": 97, "first_prime_above(255)": 257,
         "last_values(0)": 0, "last_values(3)": 308, "last_values(7)": 706}
