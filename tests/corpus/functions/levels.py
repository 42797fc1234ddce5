"""Plain functions ten levels deep, two calls each: they cost what their code costs."""

from purebpf import i64, u32


def f0(x: u32) -> i64:
    return x + 1


def f1(x: u32) -> i64:
    return f0(x) + f0(x + 1)


def f2(x: u32) -> i64:
    return f1(x) + f1(x + 1)


def f3(x: u32) -> i64:
    return f2(x) + f2(x + 1)


def f4(x: u32) -> i64:
    return f3(x) + f3(x + 1)


def f5(x: u32) -> i64:
    return f4(x) + f4(x + 1)


def f6(x: u32) -> i64:
    return f5(x) + f5(x + 1)


def f7(x: u32) -> i64:
    return f6(x) + f6(x + 1)


CALLS = {"f7(0)": 576, "f7(5)": 1216}
