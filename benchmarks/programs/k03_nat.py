"""XDP: NAT of the destination, with incremental checksums (RFC 1624)."""

import purebpf as bpf
from purebpf import HashMap, u8, u16, u32, u64
from purebpf.net import ETH_IP, IP_TCP, IP_UDP, Ethernet, Tcp, Udp

XDP_DROP, XDP_PASS, XDP_TX = 1, 2, 3


@bpf.struct
class IPv4:  # fields as the checksum sees them: words in the packet's order
    vihl: u8
    tos: u8
    len: u16
    id: u16
    frag: u16
    ttl: u8
    proto: u8
    csum: u16
    src: u32
    dst: u32


@bpf.struct
class Ports:
    sport: u16
    dport: u16


@bpf.struct
class FlowKey:
    src: u32
    sport: u16
    proto: u8
    pad: u8


@bpf.struct
class NatEntry:
    dst: u32
    dport: u16
    flags: u16
    pkts: u64
    bytes: u64


nat = HashMap[FlowKey, NatEntry](max_entries=1024)


def fold(s):
    s = (s & 0xFFFF) + (s >> 16)
    return (s & 0xFFFF) + (s >> 16)


def delta16(old, new):
    return (old ^ 0xFFFF) + new


def delta32(old, new):
    return delta16(old & 0xFFFF, new & 0xFFFF) + delta16(old >> 16, new >> 16)


def updated(csum, delta):
    return fold((csum ^ 0xFFFF) + delta) ^ 0xFFFF


@bpf.xdp
def k03_nat(ctx):
    pkt = ctx.packet
    size = len(pkt)
    eth, ip = pkt.pull(Ethernet), pkt.pull(IPv4)
    if eth is None or ip is None or eth.proto != ETH_IP or ip.vihl != 0x45:
        return XDP_PASS
    if ip.proto != IP_TCP and ip.proto != IP_UDP:
        return XDP_PASS
    is_tcp = ip.proto == IP_TCP
    if (pkt.peek(Tcp) if is_tcp else pkt.peek(Udp)) is None:
        return XDP_DROP
    csum = pkt.at(16 if is_tcp else 6, u16)
    ports = pkt.peek(Ports)
    if ports is None or csum is None:
        return XDP_DROP

    e = nat.lookup(FlowKey(src=ip.src, sport=ports.sport, proto=ip.proto))
    if e is None:
        return XDP_PASS
    delta = delta32(ip.dst, e.dst)
    if is_tcp or csum.value:
        total = updated(csum.value, delta + delta16(ports.dport, e.dport))
        csum.value = 0xFFFF if not is_tcp and total == 0 else total
    ports.dport = e.dport
    ip.dst = e.dst
    delta += delta16(ip.ttl, 63)
    ip.ttl = 63
    ip.csum = updated(ip.csum, delta)
    e.pkts += 1
    e.bytes += size
    return XDP_TX
