"""A router's step: ttl down by one, the checksum mended as RFC 1624 says."""

import purebpf as bpf
from purebpf import u16, u32
from purebpf.net import ETH_IP, Ethernet, IPv4


def fold(total: u32) -> u16:
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@bpf.xdp
def route(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return 2
    ip = pkt.pull(IPv4)
    if ip is None or ip.ttl <= 1:
        return 1
    old = ip.ttl << 8 | ip.proto
    ip.ttl -= 1
    new = ip.ttl << 8 | ip.proto
    ip.csum = ~fold((~ip.csum & 0xFFFF) + (~old & 0xFFFF) + new)
    return 3


def packet(ttl, csum):
    return bytes(12) + b"\x08\0" + bytes(8) + bytes([ttl, 6]) + csum.to_bytes(2, "big") + bytes(38)


CASES = [
    {"data": packet(64, 0x1234), "retval": 3, "after": packet(63, 0x1334)},
    {"data": packet(2, 0xFFFE), "retval": 3, "after": packet(1, 0x00FF)},
    {"data": packet(1, 0x1234), "retval": 1, "after": packet(1, 0x1234)},
]
