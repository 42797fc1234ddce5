"""Functions that outlive the function they were made in: they see its variables, not the caller's of the same name."""

import purebpf as bpf
from purebpf import Global, u64

results = Global[u64[16]]()
which = Global[u64](1)


def adder(n):
    return lambda x: x + n


def scaler(k):
    def f(x):
        return x * k

    return f


def compose(f, g):
    return lambda x: f(g(x))


def both(n):
    return (lambda x: x + n, lambda x: x - n)


def passed_on(n):
    m = n * 2
    return adder(m)


def nested(a):
    def middle(b):
        return lambda x: x + a * 10 + b

    return middle(a + 1)


def chosen(kind, n):
    if kind == 1:
        return lambda a: a + n
    return lambda a: a * n


def counter(start):
    total = start

    def add(x):
        nonlocal total
        total += x
        return total

    return add


@bpf.syscall
def prog(ctx):
    n = 100
    k = 100
    a = 100
    results[0] = adder(5)(1)
    h = adder(which.value + 6)
    n = 200
    results[1] = h(1)
    results[2] = scaler(3)(4)
    results[3] = compose(adder(1), scaler(2))(20)
    up, down = both(which.value)
    results[4] = up(10) * 100 + down(10)
    results[5] = passed_on(2)(1)
    results[6] = nested(which.value)(0)
    results[7] = chosen(which.value, 7)(3)
    f = adder(1) if which.value == 2 else adder(2)
    results[8] = f(10)
    c, d = counter(which.value), counter(50)
    c(1)
    d(1)
    results[9] = c(2) * 100 + d(2)
    total = 0
    for i in range(4):
        g = adder(i)
        total += g(1)
    results[10] = total
    results[11] = g(0) + scaler(2)(1)
    if which.value == 1:
        p = adder(which.value)
    else:
        p = scaler(which.value)
    results[12] = p(4)
    return n + k + a


WANTED = [6, 8, 12, 41, 1109, 5, 12, 10, 12, 453, 10, 5, 5, 0, 0, 0]
CASES = [{"retval": 400, "globals_after": {"results": WANTED}}]
