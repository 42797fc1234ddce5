"""XDP: DNS query inspector. Bounded walk of the question name (case folded, FNV-1a 64), blocklist lookup, per-type
counters."""

import purebpf as bpf
from purebpf import HashMap, PerCpuArray, be16, u8, u32, u64
from purebpf.net import ETH_IP, IP_UDP, Ethernet, IPv4, Udp

XDP_DROP, XDP_PASS = 1, 2


@bpf.struct
class Dns:
    id: be16
    flags: be16
    qd: be16
    an: be16
    ns: be16
    ar: be16


@bpf.struct
class Entry:
    action: u32
    labels: u32
    hits: u64


blocked = HashMap[u64, Entry](max_entries=256)
qtypes = PerCpuArray[u64](max_entries=32)


@bpf.xdp
def k07_dns(ctx):
    pkt = ctx.packet
    eth, ip, udp, dns = pkt.pull(Ethernet), pkt.pull(IPv4), pkt.pull(Udp), pkt.pull(Dns)
    if eth is None or ip is None or udp is None or dns is None:
        return XDP_PASS
    if eth.proto != ETH_IP or ip.vihl != 0x45 or ip.proto != IP_UDP or udp.dport != 53:
        return XDP_PASS
    if dns.flags & 0x8000 or dns.qd != 1:
        return XDP_PASS

    h = 0xCBF29CE484222325
    left = labels = 0
    for _ in range(128):
        byte = pkt.pull(u8)
        if byte is None:
            return XDP_DROP
        c = byte.value
        if left == 0:
            if c == 0:
                break
            if c > 63:
                return XDP_DROP
            left = c
            labels += 1
            c = ord(".")
        else:
            left -= 1
            if ord("A") <= c <= ord("Z"):
                c |= 0x20
        h = (h ^ c) * 0x100000001B3
    else:
        return XDP_DROP
    qtype = pkt.pull(be16)
    if qtype is None or pkt.pull(be16) is None:
        return XDP_DROP

    kind = qtype.value if qtype.value <= 31 else 0
    n = qtypes.lookup(kind)
    if n:
        n.value += 1
    e = blocked.lookup(h)
    if e is None:
        return XDP_PASS
    e.labels = labels
    e.hits += 1
    return XDP_DROP if e.action else XDP_PASS
