"""XDP: a dispatcher with tail calls and a per-CPU scratch value."""

import purebpf as bpf
from purebpf import Array, PerCpuArray, ProgArray, u32, u64
from purebpf.net import ETH_IP, IP_TCP, IP_UDP, Ethernet, IPv4, Tcp, Udp

XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX = range(4)
J_TCP, J_UDP, J_HTTP = range(3)


@bpf.struct
class Scratch:
    l4_off: u32
    proto: u32
    len: u64


jumps = ProgArray(max_entries=8)
scratch = PerCpuArray[Scratch](max_entries=1)
stats = Array[u64](max_entries=8)


def bump(slot, by):
    n = stats.lookup(slot)
    if n:
        n.value += by


@bpf.xdp
def k19_http(ctx):
    s = scratch.lookup(0)
    if s is None:
        return XDP_ABORTED
    bump(2, s.len)
    return XDP_TX if s.len > 60 else XDP_PASS


@bpf.xdp
def k19_tcp(ctx):
    s = scratch.lookup(0)
    if s is None or s.l4_off > 128:
        return XDP_ABORTED
    tcp = ctx.packet.at(s.l4_off, Tcp)
    if tcp is None:
        return XDP_DROP
    bump(0, 1)
    if tcp.dport == 80:
        jumps[J_HTTP](ctx)
    return XDP_PASS


@bpf.xdp
def k19_udp(ctx):
    s = scratch.lookup(0)
    if s is None or s.l4_off > 128:
        return XDP_ABORTED
    udp = ctx.packet.at(s.l4_off, Udp)
    if udp is None:
        return XDP_DROP
    bump(1, udp.len)
    return XDP_PASS if udp.dport == 53 else XDP_DROP


@bpf.xdp
def k19_tail(ctx):
    pkt = ctx.packet
    size = len(pkt)
    eth, ip = pkt.pull(Ethernet), pkt.pull(IPv4)
    if eth is None or ip is None or eth.proto != ETH_IP:
        return XDP_PASS
    s = scratch.lookup(0)
    if s is None:
        return XDP_ABORTED
    s.l4_off = bpf.sizeof(Ethernet) + (ip.vihl & 15) * 4
    s.proto = ip.proto
    s.len = size
    if ip.proto == IP_TCP:
        jumps[J_TCP](ctx)
    elif ip.proto == IP_UDP:
        jumps[J_UDP](ctx)
    bump(3, 1)
    return XDP_PASS
