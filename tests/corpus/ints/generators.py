"""Generator expressions in any, all, sum, min and max: over arrays, ranges and tuples, filtered, nested, with defaults."""

import purebpf as bpf
from purebpf import Global, HashMap, i32, i64, u8, u32, u64


@bpf.struct
class Sample:
    values: i32[6]
    size: u8


sample = Global[Sample]()
limits = HashMap[u32, u64](max_entries=8)
PORTS = (22, 80, 443)


def smallest_above(a: i32, b: i32, c: i32, floor: i32) -> i64:
    return min((x for x in (a, b, c) if x > floor), default=-1)


def pairs(n: u32) -> i64:
    return sum(x * y for x in range(4) for y in range(3) if (x + y) % 2 == n % 2)


def largest_square(n: i32) -> i64:
    x = 100
    return max([x * x for x in range(-3, 3)]) + x + n


def started(n: u32) -> i64:
    return sum((i for i in range(5) if i < n), 1000)


def in_order(a: i32, b: i32, c: i32) -> bool:
    t = (a, b, c)
    return all(t[i] <= t[i + 1] for i in range(2))


def none_of(n: u32) -> bool:
    return not any(n == p for p in PORTS)


@bpf.xdp
def prog(ctx):
    total = sum(v for v in sample.values)
    if all(v >= 0 for v in sample.values) and any(v > total // 2 for v in sample.values):
        total += 1000
    count = sum(1 for i in range(64) if ctx.packet[i] == 7)
    known = sum(1 for p in PORTS if p in limits)
    best = max(v for v in sample.values if v != 0)
    return total + count * 10000 + known * 100000 + best * 1000000


CALLS = {
    "smallest_above(5, -2, 9, 0)": 5, "smallest_above(1, 2, 3, 3)": -1, "smallest_above(-5, -6, -7, -10)": -7, "pairs(0)": 8,
    "pairs(1)": 10, "largest_square(-1)": 108, "started(3)": 1003, "started(0)": 1000, "in_order(1, 2, 2)": True,
    "in_order(3, 2, 5)": False, "none_of(80)": False, "none_of(81)": True,
}
CASES = [
    {"data": b"\7\7" + bytes(62), "set": {"sample": {"values": [1, 2, 3, 4, 5, 60], "size": 6}}, "maps": {"limits": {22: 1, 443: 2}},
     "run": "prog", "retval": 1075 + 20000 + 200000 + 60000000},
    {"set": {"sample": {"values": [-1, 2, 3, 4, 5, 6], "size": 6}}, "run": "prog", "retval": 19 + 6000000},
    {"set": {"sample": {"values": [0] * 6, "size": 6}}, "run": "prog", "retval": 0},
]
