"""A long string cut to a short field, a short one into a long field: the rest is zero."""

import purebpf as bpf
from purebpf import Global, char


@bpf.struct
class Buffers:
    short: char[4]
    long: char[12]
    again: char[12]


b = Global[Buffers]()


@bpf.xdp
def prog(ctx):
    b.again = b.short
    b.short = b.long
    b.long = "x"
    return len(b.again)


CASES = [
    {"set": {"b": {"short": "ab", "long": "longer text", "again": "previous one"}}, "retval": 2,
     "globals_after": {"b": ("long"[:4], "x", "ab")}},
]
