"""Long loops that count down, from below zero, in steps, with many decisions in a round: the counter is an index, also on the stack."""

import purebpf as bpf
from purebpf import Global, i64, u8, u32

answer = Global[i64](0)


def last_place(n: u32) -> i64:
    values = u8[100]()
    for i in range(100):
        values[i] = (i * 7) & 63
    found = 0
    for i in range(99, -1, -1):
        v = values[i]
        if v == (n & 63):
            found = i
            break
        if v > 60:
            found += 1
        elif v > 50:
            found += 2
        elif v > 40 and i % 2 == 0 or v == 3:
            found -= 1
        elif v % 5 == 0 and i > 10:
            found ^= 1
    return found


def around(n: u32) -> i64:
    values = u8[81]()
    for i in range(-40, 41):
        values[i + 40] = i & 127
    total = 0
    for i in range(-40, 41, 2):
        v = values[i + 40]
        if v > 100:
            total += 1
        elif v > 80 or v == n:
            total += 10
        elif v % 3 == 1 and total % 2 == 0 or i == 7:
            total += 100
        if i > 20 and total > 50 and n > 3:
            return total * 1000 + i
    return total


def down_by(n: u32) -> i64:
    values = u32[64]()
    total = 0
    for i in range(63, 0, -3):
        values[i] = i + (n & 7)
        for j in range(i, -1, -1):
            if values[j] % 4 == 1 and j != 5:
                total += j
            elif values[j] > 60:
                total += 1
            elif j == 1 and total > 100000:
                return -1
    return total


@bpf.xdp
def prog(ctx):
    n = ctx.packet[1]
    if ctx.packet[0] == 0:
        answer.value = last_place(n)
    elif ctx.packet[0] == 1:
        answer.value = around(n)
    else:
        answer.value = down_by(n)
    return 2


def case(which, n, answer):
    return {"data": bytes([which, n]) + bytes(62), "retval": 2, "globals_after": {"answer": answer}}


CASES = [case(0, 3, 37), case(0, 64, 64), case(1, 0, 93), case(1, 9, 83022), case(2, 0, 166), case(2, 2, 199)]
