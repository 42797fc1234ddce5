"""ctypes in annotations, casts, globals, maps and functions."""

import ctypes
from ctypes import c_char, c_int8, c_uint16, c_uint32, c_uint64

import purebpf as bpf
from purebpf import Array, Global, HashMap

Name = c_char * 8
names = HashMap[c_uint32, Name](max_entries=4)
table = Array[c_uint16 * 3](max_entries=2)
total = Global[c_uint64](0)


def low(x: c_uint32) -> int:
    return c_uint16(x)


def signed(x: c_uint32) -> int:
    return c_int8(x) if x > 3 else ctypes.c_int64(x)


@bpf.xdp
def prog(ctx):
    narrow: c_uint16 = 0x12345 + ctx.packet[0]
    names[1] = "ctypes"
    table[1][2] = 70000 + ctx.packet[0]
    buffer = (ctypes.c_uint8 * 4)()
    buffer[1] = 255
    total.value += c_uint64(low(0x20001) + signed(255 + ctx.packet[0]) + buffer[1])
    return narrow - 0x2345 + bpf.sizeof(ctypes.c_long)


CASES = [{"retval": 8, "globals_after": {"total": 255}, "maps_after": {"names": {1: "ctypes"}, "table": {1: (0, 0, 4464)}}}]
