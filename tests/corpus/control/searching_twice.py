"""Loops that are left early with what they found, one after another and nested; what was found is an index afterwards."""

import purebpf as bpf
from purebpf import Global, i64, u8, u32


@bpf.struct
class Tables:
    keys: u8[48]
    values: u32[48]
    links: u8[48]


t = Global[Tables]()


def index_of(keys, wanted):
    for i in range(48):
        if keys[i] == wanted:
            return i
    return -1


def collatz(n: u32) -> i64:
    x = (n & 0xFFFF) + 1
    steps = 0
    while x != 1 and steps < 300:
        x = x // 2 if x % 2 == 0 else x * 3 + 1
        steps += 1
    return steps


def triangle(n: u32) -> i64:
    total = 0
    for a in range((n & 63) + 2, 120):
        for b in range(2, 30):
            if b * b > a:
                break
            if a % b == 0:
                total += b
                break
        else:
            return -a
        if total > (n & 255) + 20:
            return total
    return 0


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    found = 0
    at = index_of(t.keys, pkt[0])
    if at >= 0:
        found = t.values[at]
        back = index_of(t.links, t.keys[at])
        if back >= 0:
            found += t.values[back] * 100
            third = 0
            for third in range(48):
                if t.values[third] == t.values[back] + 1:
                    break
            found += t.links[third] * 10000
    last = -1
    for i in range(48):
        if t.keys[i] > 200:
            last = i
            if t.links[i] == 0:
                break
    if last >= 0:
        found += t.values[last] * 1000000
    return found


CALLS = {"collatz(26)": 111, "collatz(0)": 0, "triangle(0)": 22, "triangle(40)": 62}
SET = {"t": {"keys": [*range(10, 57), 201], "values": list(range(48)), "links": [*range(50, 2, -1)]}}
CASES = [
    {"run": "prog", "data": b"\x0b" + bytes(63), "set": SET, "retval": 1 + 39 * 100 + (50 - 40) * 10000 + 47 * 1000000},
    {"run": "prog", "data": b"\xff" + bytes(63), "set": SET, "retval": 47000000},
]
