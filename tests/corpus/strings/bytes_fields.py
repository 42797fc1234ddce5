"""Raw bytes beside text: u8[n] against b"…", against an array, and copied."""

import purebpf as bpf
from purebpf import Global, u8


@bpf.struct
class Magic:
    seen: u8[4]
    want: u8[4]


g = Global[Magic]()


@bpf.xdp
def prog(ctx):
    start = ctx.packet.bytes(0, 4)
    if start is None:
        return 9
    g.seen = start
    if g.seen == b"\x7fELF":
        return 1
    if g.seen == g.want:
        return 2
    if g.seen[:2] == b"#!":
        return 3
    return 0


CASES = [
    {"data": b"\x7fELF" + bytes(60), "retval": 1, "globals_after": {"g": {"seen": b"\x7fELF"}}},
    {"data": b"abcd" + bytes(60), "set": {"g": {"seen": bytes(4), "want": b"abcd"}}, "retval": 2},
    {"data": b"#!/b" + bytes(60), "retval": 3},
    {"data": bytes(64), "set": {"g": {"seen": bytes(4), "want": b"abcd"}}, "retval": 0},
]
