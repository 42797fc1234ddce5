"""Protocols counted; VLAN tags skipped; the fields compute as numbers."""

import purebpf as bpf
from purebpf import Global, u64
from purebpf.net import ETH_IP, ETH_VLAN, IP_TCP, IP_UDP, Ethernet, IPv4, Tcp, Udp, Vlan

tcp_syn = Global[u64](0)
udp_bytes = Global[u64](0)


@bpf.xdp
def classify(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None:
        return bpf.XDP_DROP
    proto = eth.proto
    if proto == ETH_VLAN:
        tag = pkt.pull(Vlan)
        if tag is None:
            return bpf.XDP_DROP
        proto = tag.proto
    if proto != ETH_IP:
        return bpf.XDP_PASS
    ip = pkt.pull(IPv4)
    if ip is None or ip.vihl >> 4 != 4:
        return bpf.XDP_DROP
    if (ip.vihl & 15) < 5:
        return bpf.XDP_DROP
    pkt.skip((ip.vihl & 15) * 4 - 20)
    if ip.proto == IP_TCP and (tcp := pkt.pull(Tcp)):
        if tcp.flags & 2:
            tcp_syn.value += 1
    elif ip.proto == IP_UDP and (udp := pkt.pull(Udp)):
        udp_bytes.value += udp.len
    return bpf.XDP_PASS


def ip(proto, words=5):
    return bytes([0x40 + words]) + bytes(8) + bytes([proto]) + bytes(words * 4 - 10)


TCP, UDP = bytes(13) + b"\2" + bytes(6), bytes(4) + b"\1\0" + bytes(2)
CASES = [
    {"data": bytes(12) + b"\x08\0" + ip(6) + TCP, "retval": 2, "globals_after": {"tcp_syn": 1, "udp_bytes": 0}},
    {"data": bytes(12) + b"\x81\0\0\1\x08\0" + ip(17, 7) + UDP, "retval": 2, "globals_after": {"udp_bytes": 256}},
    {"data": bytes(12) + b"\x08\0" + ip(17, 9)[:20], "retval": 2, "globals_after": {"udp_bytes": 0}},
    {"data": bytes(12) + b"\x08\x06" + bytes(28), "retval": 2},
    {"data": bytes(12) + b"\x08\0" + bytes(30), "retval": 1},
]
