"""A word of the payload replaced wherever it stands, by its bytes."""

import purebpf as bpf
from purebpf import u8


@bpf.struct
class Word:
    b: u8[4]


@bpf.xdp
def censor(ctx):
    pkt = ctx.packet
    n = 0
    for off in range(14, 60):
        w = pkt.at(off, Word)
        if w is None:
            break
        if w.b == b"evil":
            w.b = b"good"
            n += 1
    return n


CASES = [
    {"data": bytes(14) + b"an evil, evil thing", "retval": 2, "after": bytes(14) + b"an good, good thing"},
    {"data": bytes(14) + b"nothing here", "retval": 0, "after": bytes(14) + b"nothing here"},
]
