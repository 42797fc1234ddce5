"""TC: arithmetic with division: digits, gcd, modular power, square root."""

import purebpf as bpf
from purebpf import Array, u8, u32, u64

OFFSET = 14 + 20 + 8


@bpf.struct
class Nums:
    digits: u8[24]
    gcd: u64
    power: u64
    root: u64
    mean: u64


result = Array[Nums](max_entries=1)


@bpf.tc
def k15_div(ctx):
    w = ctx.packet.at(OFFSET, u32[6])
    if w is None:
        return -1
    r = result.lookup(0)
    if r is None:
        return -1
    a = u64(w[1]) << 32 | w[0]
    b = u64(w[3]) << 32 | w[2]
    m, e = w[4], w[5]

    n = a
    for i in range(19, -1, -1):
        r.digits[i] = ord("0") + n % 10
        n //= 10

    x: u64
    n, x = a, b
    for _ in range(96):
        if x == 0:
            break
        n, x = x, n % x
    r.gcd = n

    base: u64 = a % m if m else 0
    power: u64 = 1
    for _ in range(16):
        if e & 1:
            power = power * base % m if m else 0
        base = base * base % m if m else 0
        e >>= 1
    r.power = power

    x = 1 << 32 if b >> 32 else 1 << 16
    for _ in range(40):
        y = (x + b // x) >> 1
        if y >= x:
            break
        x = y
        if x == 0:
            break
    r.root = x
    r.mean = (a // 3 + b // 7) // 11
    return (r.gcd + r.power + r.root + r.mean) & 0x7FFFFFFF
