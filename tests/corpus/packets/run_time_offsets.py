"""A header whose offset the packet itself gives; options walked one by one."""

import purebpf as bpf
from purebpf import be16, u8


@bpf.struct
class Option:
    kind: u8
    size: u8


@bpf.xdp
def options(ctx):
    pkt = ctx.packet
    off = 14 + pkt[14]
    port = pkt.at(off, be16)
    if port is None:
        return 1
    mss = 0
    at = off + 2
    for _ in range(40):
        opt = pkt.at(at, Option)
        if opt is None or opt.kind == 0:
            break
        if opt.kind == 1:
            at += 1
            continue
        if opt.size < 2:
            return 2
        if opt.kind == 2:
            value = pkt.at(at + 2, be16)
            if value:
                mss = value.value
        at += opt.size
    return port.value + mss * 0x10000


CASES = [
    {"data": bytes(14) + b"\4\0\0\0\0\x50" + b"\1\1\3\3\7\2\4\5\xb4\0" + bytes(30), "retval": 0x05B40050},
    {"data": bytes(14) + b"\4\0\0\0\0\x50" + b"\1\x05\1" + bytes(30), "retval": 2},
    {"data": bytes(14) + b"\xff" + bytes(49), "retval": 1},
    {"data": bytes(14) + b"\x20" + bytes(35), "retval": 0},
]
