"""Any number of values, `sep` and `end`, formats that are put together, arrays and structs."""

import purebpf as bpf
from purebpf import Global, char, i64, u8, u16


@bpf.struct
class Point:
    x: i64
    y: u8


@bpf.struct
class State:
    numbers: u16[4]
    name: char[4]
    where: Point
    address: u8[16]
    on: bool


state = Global[State]()
WIDTH = 6


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    print(n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, n + 11, n + 12, n + 13, n + 14, sep=",")
    print(state.numbers, state.where, sep="; ")
    print(f"{state.name}|{state.name!r}|{n:{WIDTH}}|{n:<{WIDTH}}|{n:0{WIDTH}d}|{state.on!s:6}|")
    print(bpf.ip6(state.address))
    print(bpf.hex(state.address), end="!\n")
    print(f"{n=} {state.name[1]}{state.name[0]:d}")
    print("100%", f"{n}%", 5, True, None, sep="")
    print()
    return 2


CASES = [{
    "data": b"\5" + bytes(63), "retval": 2,
    "set": {"state": {"numbers": [1, 2, 3, 65535], "name": "wxyz", "where": {"x": -5, "y": 7}, "address": list(range(1, 17)), "on": 1}},
    "prints": ["5,6,7,8,9,10,11,12,13,14,15,16,17,18,19", "[1, 2, 3, 65535]; Point(x=-5, y=7)",
               "wxyz|'wxyz'|     5|5     |000005|True  |", "0102:0304:0506:0708:090a:0b0c:0d0e:0f10",
               "0102030405060708090a0b0c0d0e0f10!", "n=5 x119", "100%5%5TrueNone", ""],
}]
