"""A port that only some packets have: a name that is None on one path and a number on another."""

import purebpf as bpf
from purebpf import HashMap, u16, u64
from purebpf.net import ETH_IP, IP_TCP, IP_UDP, Ethernet, IPv4, Tcp, Udp

by_port = HashMap[u16, u64](max_entries=64)


@bpf.xdp
def count(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return 2
    ip = pkt.pull(IPv4)
    if ip is None:
        return 2
    port = None
    if ip.proto == IP_TCP:
        tcp = pkt.pull(Tcp)
        if tcp:
            port = tcp.dport
    elif ip.proto == IP_UDP:
        udp = pkt.pull(Udp)
        if udp:
            port = udp.dport
    if port is None:
        return 2
    by_port[port] += 1
    return 1


def packet(proto, port):
    return bytes(12) + b"\x08\0" + bytes(9) + bytes([proto]) + bytes(10) + b"\0\1" + port.to_bytes(2, "big") + bytes(30)


CASES = [
    {"data": packet(6, 443), "retval": 1, "maps_after": {"by_port": {443: 1}}},
    {"data": packet(17, 0), "retval": 1, "maps_after": {"by_port": {0: 1}}},
    {"data": packet(1, 53), "retval": 2, "maps_after": {"by_port": {}}},
    {"data": packet(6, 443)[:40], "retval": 2},
]
