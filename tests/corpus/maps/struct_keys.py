"""Connections counted by a five-tuple whose padding is zero; a key built in place and one from a name."""

import purebpf as bpf
from purebpf import HashMap, be16, be32, u8, u64
from purebpf.net import IPv4, Udp


@bpf.struct
class Flow:
    src: be32
    dst: be32
    sport: be16
    dport: be16
    proto: u8


flows = HashMap[Flow, u64](max_entries=64)


@bpf.xdp
def track(ctx):
    pkt = ctx.packet
    ip = pkt.at(14, IPv4)
    udp = pkt.at(34, Udp)
    if ip is None or udp is None:
        return 2
    flow = Flow(ip.src, ip.dst, udp.sport, udp.dport, ip.proto)
    flows[flow] += 1
    back = Flow(src=ip.dst, dst=ip.src, sport=udp.dport, dport=udp.sport, proto=ip.proto)
    if back in flows:
        return 1
    return 2 + (Flow(ip.src, ip.dst, udp.sport, udp.dport, 99) in flows)


PACKET = bytes(23) + b"\x11\0\0" + bytes([1, 2, 3, 4]) + bytes([5, 6, 7, 8]) + b"\0\x35\x10\0" + bytes(26)
CASES = [
    {"data": PACKET, "times": 2, "retval": 2, "maps_after": {"flows": {(0x01020304, 0x05060708, 53, 4096, 17): 2}}},
    {"data": PACKET, "maps": {"flows": {(0x05060708, 0x01020304, 4096, 53, 17): 1}}, "retval": 1},
]
