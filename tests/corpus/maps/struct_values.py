"""Counters in a struct value: created by the first packet, added to atomically."""

import purebpf as bpf
from purebpf import HashMap, be32, u32, u64
from purebpf.net import Ethernet, IPv4


@bpf.struct
class Traffic:
    packets: u64
    bytes: u64
    largest: u32


traffic = HashMap[be32, Traffic](max_entries=1024)


@bpf.xdp
def account(ctx):
    pkt = ctx.packet
    size = len(pkt)
    ip = pkt.at(bpf.sizeof(Ethernet), IPv4)
    if ip is None:
        return 2
    t = traffic.setdefault(ip.src, Traffic())
    if t is None:
        return 1
    bpf.atomic_add(t.packets, 1)
    bpf.atomic_add(t.bytes, size)
    t.largest = max(t.largest, size)
    traffic[ip.dst].packets += 1
    return 2


PACKET = bytes(26) + bytes([10, 0, 0, 1]) + bytes([10, 0, 0, 2]) + bytes(30)
CASES = [
    {"data": PACKET, "times": 3, "retval": 2, "maps_after": {"traffic": {0x0A000001: (3, 192, 64), 0x0A000002: (3, 0, 0)}}},
]
