"""Try one header, then another: a failed pull does not move, peek never does."""

import purebpf as bpf
from purebpf import be16, be32, u8


@bpf.struct
class Long:
    magic: be32
    body: u8[60]


@bpf.struct
class Short:
    magic: be16
    kind: be16


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    before = len(pkt)
    long = pkt.pull(Long)
    if long is not None:
        return 1
    if len(pkt) != before:
        return 99
    short = pkt.peek(Short)
    if short is None or short.magic != 0xCAFE:
        return 2
    again = pkt.pull(Short)
    if again is None:
        return 3
    return again.kind * 100 + len(pkt)


CASES = [
    {"data": bytes(64), "retval": 1},
    {"data": b"\xca\xfe\0\7" + bytes(26), "retval": 726},
    {"data": bytes(30), "retval": 2},
]
