"""XDP: walk Ethernet, up to two VLAN tags, IPv4/IPv6, TCP/UDP/ICMP; count packets and bytes per class."""

from enum import IntEnum

import purebpf as bpf
from purebpf import PerCpuArray, u64
from purebpf.net import (
    ETH_ARP,
    ETH_IP,
    ETH_IPV6,
    ETH_QINQ,
    ETH_VLAN,
    IP_ICMP,
    IP_ICMPV6,
    IP_TCP,
    IP_UDP,
    Ethernet,
    IPv4,
    IPv6,
    Tcp,
    Udp,
    Vlan,
)

XDP_DROP, XDP_PASS = 1, 2


class C(IntEnum):
    OTHER, ARP, FRAG, TCP4, UDP4, ICMP4, OTHER4, TCP6, UDP6, ICMP6, OTHER6, SYN, VLAN, BAD = range(14)


@bpf.struct
class Counter:
    pkts: u64
    bytes: u64


proto_stats = PerCpuArray[Counter](max_entries=16)


def account(slot, size):
    c = proto_stats.lookup(slot)
    if c:
        c.pkts += 1
        c.bytes += size


def bad(size):
    account(C.BAD, size)
    return XDP_DROP


@bpf.xdp
def k01_parse(ctx):
    pkt = ctx.packet
    size = len(pkt)
    eth = pkt.pull(Ethernet)
    if eth is None:
        return bad(size)
    proto = eth.proto
    for _ in range(2):
        if proto != ETH_VLAN and proto != ETH_QINQ:
            break
        tag = pkt.pull(Vlan)
        if tag is None:
            return bad(size)
        account(C.VLAN, tag.tci & 0xFFF)
        proto = tag.proto

    slot = C.OTHER
    l4 = 0
    if proto == ETH_IP:
        ip = pkt.peek(IPv4)
        if ip is None:
            return bad(size)
        hlen = (ip.vihl & 15) * 4
        if ip.vihl >> 4 != 4 or hlen < 20:
            return bad(size)
        if ip.frag & 0x1FFF:
            slot = C.FRAG
        else:
            l4 = ip.proto
            pkt.skip(hlen)
            slot = C.TCP4 if l4 == IP_TCP else C.UDP4 if l4 == IP_UDP else C.ICMP4 if l4 == IP_ICMP else C.OTHER4
    elif proto == ETH_IPV6:
        ip6 = pkt.pull(IPv6)
        if ip6 is None:
            return bad(size)
        l4 = ip6.next
        slot = C.TCP6 if l4 == IP_TCP else C.UDP6 if l4 == IP_UDP else C.ICMP6 if l4 == IP_ICMPV6 else C.OTHER6
    elif proto == ETH_ARP:
        slot = C.ARP

    if l4 == IP_TCP:
        tcp = pkt.pull(Tcp)
        if tcp is None or tcp.off >> 4 < 5:
            return bad(size)
        if tcp.flags & 0x12 == 0x02:
            account(C.SYN, size)
    elif l4 == IP_UDP:
        udp = pkt.pull(Udp)
        if udp is None or udp.len < 8:
            return bad(size)
    account(slot, size)
    return XDP_PASS
