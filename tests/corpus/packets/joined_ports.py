"""The ports of TCP or UDP, whichever it is: a header from either branch."""

import purebpf as bpf
from purebpf.net import IP_TCP, IP_UDP, Ethernet, IPv4, Tcp, Udp


@bpf.xdp
def ports(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    ip = pkt.pull(IPv4)
    if eth is None or ip is None:
        return 2
    if ip.proto == IP_TCP:
        tcp = pkt.pull(Tcp)
        if tcp is None:
            return 1
        sport, dport = tcp.sport, tcp.dport
    elif ip.proto == IP_UDP:
        udp = pkt.pull(Udp)
        if udp is None:
            return 1
        sport, dport = udp.sport, udp.dport
    else:
        return 2
    l4 = pkt.at(0, Tcp) if ip.proto == IP_TCP else None
    return sport * 0x10000 + dport + (1 if l4 else 0)


def packet(proto, rest):
    return bytes(23) + bytes([proto]) + bytes(10) + b"\0\x50\x10\0" + bytes(rest)


CASES = [
    {"data": packet(6, 40), "retval": 0x00501001},
    {"data": packet(17, 4), "retval": 0x00501000},
    {"data": packet(6, 4), "retval": 1},
    {"data": packet(1, 4), "retval": 2},
]
