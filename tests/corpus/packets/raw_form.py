"""The form that C programmers know: data and data_end compared by hand."""

import purebpf as bpf
from purebpf import Ptr
from purebpf.net import Ethernet, IPv4


@bpf.xdp
def prog(ctx):
    data = ctx.data
    end = ctx.data_end
    if data + 14 > end:
        return 1
    eth = Ptr[Ethernet](data)
    if eth.proto != 0x0800:
        return 2
    if data + 34 > end:
        return 3
    ip = Ptr[IPv4](data + 14)
    ip.ttl -= 1
    return 100 + ip.ttl


HEAD = bytes(12) + b"\x08\0" + bytes(8)
CASES = [
    {"data": HEAD + b"\x40" + bytes(31), "retval": 163, "after": HEAD + b"\x3f" + bytes(31)},
    {"data": bytes(64), "retval": 2},
    {"data": bytes(12) + b"\x08\0" + bytes(2), "retval": 3},
]
