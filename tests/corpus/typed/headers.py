"""Headers, with functions that take and give them."""

import purebpf as bpf
from purebpf import HashMap, be16, be32, u8, u64
from purebpf.net import ETH_IP, IP_TCP, Ethernet, IPv4, Tcp


@bpf.struct
class Flow:
    src: be32
    dst: be32
    sport: be16
    dport: be16
    proto: u8


flows = HashMap[Flow, u64](max_entries=64)


def flow_of(ip: IPv4, tcp: Tcp) -> Flow:
    return Flow(src=ip.src, dst=ip.dst, sport=tcp.sport, dport=tcp.dport, proto=ip.proto)


@bpf.xdp
def track(ctx: bpf.XdpContext) -> bpf.XdpAction:
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return bpf.XDP_PASS
    ip = pkt.pull(IPv4)
    if ip is None or ip.proto != IP_TCP:
        return bpf.XDP_PASS
    tcp = pkt.pull(Tcp)
    if tcp is None:
        return bpf.XDP_DROP
    flow = flow_of(ip, tcp)
    flows[flow] += 1
    return bpf.XDP_TX if flow.dport == 443 else bpf.XDP_PASS


PACKET = bytes(12) + b"\x08\0" + bytes(9) + b"\6" + bytes(2) + bytes([1, 2, 3, 4]) + bytes([5, 6, 7, 8])
CASES = [
    {"data": PACKET + b"\0\x50\1\xbb" + bytes(20), "retval": 3, "maps_after": {"flows": {(0x01020304, 0x05060708, 80, 443, 6): 1}}},
    {"data": PACKET + b"\0\x50\0\x16" + bytes(20), "retval": 2},
    {"data": PACKET + b"\0\x50", "retval": 1},
    {"data": bytes(64), "retval": 2},
]
