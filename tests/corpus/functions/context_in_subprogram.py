"""A subprogram that parses the packet itself and changes it."""

import purebpf as bpf
from purebpf import u32
from purebpf.net import ETH_IP, Ethernet, IPv4


@bpf.func
def lower_ttl(ctx) -> u32:
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return 0
    ip = pkt.pull(IPv4)
    if ip is None or ip.ttl == 0:
        return 0
    ip.ttl -= 1
    return ip.ttl + 1


@bpf.xdp
def prog(ctx):
    before = lower_ttl(ctx)
    if before == 0:
        return 1
    return 100 + before


HEAD = bytes(12) + b"\x08\0" + bytes(8)
CASES = [
    {"data": HEAD + b"\x40" + bytes(31), "retval": 164, "after": HEAD + b"\x3f" + bytes(31)},
    {"data": HEAD + bytes(32), "retval": 1},
    {"data": bytes(14), "retval": 1},
]
