"""Constant text indexed at run time, and asked for a letter that is only known then."""

import purebpf as bpf
from purebpf import Global, char, u8

HEX = "0123456789abcdef"
VOWELS = "aeiou"
text = Global[char[16]]()
number = Global[u8](0)
out = Global[char[8]]()


def digit(n):
    return HEX[n & 15]


@bpf.syscall
def prog(ctx):
    b = number.value
    out[0] = digit(b >> 4)
    out[1] = HEX[b & 15]
    out[2] = HEX[-1 - (b & 1)]
    n = 0
    for c in text.value:
        if c in "+-*":
            n += 100
        elif c in VOWELS:
            n += 10
        elif c not in HEX:
            n += 1
    return n + (1000 if HEX[b & 15] == "f" else 0)


@bpf.syscall
def outside(ctx):
    return 1 if HEX[number.value] == "a" else 2


CASES = [
    {"set": {"text": "a+b*x", "number": 0x2F}, "retval": 1211, "globals_after": {"out": "2fe"}},
    {"set": {"text": "", "number": 0xC0}, "retval": 0, "globals_after": {"out": "c0f"}},
    {"run": "outside", "set": {"number": 10}, "retval": 1},
    {"run": "outside", "set": {"number": 16}, "retval": 0},
]
