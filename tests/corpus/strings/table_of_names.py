"""Strings from a constant table, chosen at run time."""

import purebpf as bpf
from purebpf import Global, char, u8

NAMES = ("other", "tcp", "udp", "icmp")


@bpf.struct
class Out:
    name: char[8]
    kind: u8


out = Global[Out]()


@bpf.xdp
def prog(ctx):
    kind = ctx.packet[0]
    out.kind = kind
    if kind < len(NAMES):
        out.name = NAMES[kind]
    else:
        out.name = "?"
    return 1 if out.name == "udp" else 0


CASES = [
    {"data": bytes([2]) + bytes(63), "retval": 1, "globals_after": {"out": ("udp", 2)}},
    {"data": bytes([0]) + bytes(63), "retval": 0, "globals_after": {"out": ("other", 0)}},
    {"data": bytes([9]) + bytes(63), "retval": 0, "globals_after": {"out": ("?", 9)}},
]
