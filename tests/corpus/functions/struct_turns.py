"""Structs that functions make of the structs they are given, in loops: what is read is never what is being written."""

import purebpf as bpf
from purebpf import i32, i64, u32


@bpf.struct
class Pair:
    x: i32
    y: i32

    def turned(self, by: i32) -> "Pair":
        return Pair(x=self.y, y=self.x + by)


@bpf.func
def turned(p: Pair, by: i32) -> Pair:
    return Pair(x=p.y, y=p.x + by)


def methods(n: u32) -> i64:
    p = Pair(x=1, y=2)
    for i in range(5):
        p = p.turned(i)
    return p.x * 100 + p.y + n


def calls(n: u32) -> i64:
    p = Pair(x=1, y=2)
    for i in range(5):
        p = turned(p, i)
    return p.x * 100 + p.y + n


def both(n: u32) -> i64:
    p = Pair(x=1, y=2)
    q = p
    for i in range(n & 7):
        old = p
        p = turned(turned(p, i), 1)
        q = old
    return p.x * 1000 + p.y * 100 + q.x * 10 + q.y


CALLS = {"methods(0)": 607, "calls(1)": 608, "both(0)": 1212, "both(3)": 4524}
