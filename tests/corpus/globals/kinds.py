"""Globals of every kind: numbers, flags, arrays, structs, strings; initial values."""

import purebpf as bpf
from purebpf import Global, char, i8, i32, u8, u16, u64

count = Global[u64](5)
small = Global[i8](-3)
flag = Global[bool](True)
bytes_ = Global[u8[4]](b"\1\2\3\4")
words = Global[u16[3]]([7, 8, 9])
name = Global[char[8]]("start")
balance = Global[i32](-100)


@bpf.xdp
def prog(ctx):
    count.value += 1
    small.value -= 126
    flag.value = not flag
    bytes_[1] += 255
    words[2] = words[0] + words[1]
    if name == "start":
        name.value = "done"
    balance.value //= 7
    return small + 6


CASES = [{"retval": 133, "globals_after": {
    "count": 6, "small": 127, "flag": False, "bytes_": [1, 1, 3, 4], "words": [7, 8, 15], "name": "done", "balance": -15}}]
