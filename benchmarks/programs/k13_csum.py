"""XDP: UDP checksum over a whole packet, 16 bits at a time."""

import purebpf as bpf
from purebpf import PerCpuArray, u8, u16, u32, u64
from purebpf.net import ETH_IP, IP_UDP, Ethernet, IPv4

verdicts = PerCpuArray[u64](max_entries=2)


@bpf.struct
class Addresses:
    skipped: u32[3]
    src: u32
    dst: u32


@bpf.struct
class Udp:
    sport: u16
    dport: u16
    len: u16
    csum: u16


@bpf.xdp
def k13_csum(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    raw = pkt.peek(Addresses)
    ip = pkt.pull(IPv4)
    udp = pkt.peek(Udp)
    if eth is None or raw is None or ip is None or udp is None:
        return -1
    if eth.proto != ETH_IP or ip.vihl != 0x45 or ip.proto != IP_UDP:
        return -1
    total = u64(raw.src) + raw.dst + (IP_UDP << 8) + udp.len
    for _ in range(700):
        word = pkt.peek(u16)
        if word is None:
            break
        pkt.skip(2)
        total += word.value
    odd = pkt.peek(u8)
    if odd:
        total += odd.value
    total = (total & 0xFFFFFFFF) + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    bad = total != 0xFFFF
    n = verdicts.lookup(bad)
    if n:
        n.value += 1
    return total if bad else 0x10000
