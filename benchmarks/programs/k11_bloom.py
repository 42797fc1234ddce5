"""XDP: Bloom filter over the 5-tuple with FNV-1a and Murmur3's finalizer (double hashing, four probes)."""

import purebpf as bpf
from purebpf import Array, u8, u16, u32, u64
from purebpf.net import ETH_IP, Ethernet

WORDS = 512  # 32768 bits

bits = Array[u64](max_entries=WORDS)


@bpf.struct
class IPv4:
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
class Tuple:
    src: u32
    dst: u32
    sport: u16
    dport: u16


def fmix64(k: u64) -> u64:
    k ^= k >> 33
    k *= 0xFF51AFD7ED558CCD
    k ^= k >> 33
    k *= 0xC4CEB9FE1A85EC53
    k ^= k >> 33
    return k


def fnv1a(data) -> u32:
    h: u32 = 0x811C9DC5
    for byte in data:
        h = (h ^ byte) * 0x01000193
    return h


@bpf.xdp
def k11_bloom(ctx):
    pkt = ctx.packet
    eth, ip, ports = pkt.pull(Ethernet), pkt.pull(IPv4), pkt.pull(Ports)
    if eth is None or ip is None or ports is None or eth.proto != ETH_IP:
        return -1
    t = Tuple(src=ip.src, dst=ip.dst, sport=ports.sport, dport=ports.dport)

    h1 = fmix64((u64(t.src) << 32 | t.dst) ^ (t.sport << 16 | t.dport) ^ ip.proto)
    h2 = fnv1a(bytes(t)) | 1
    known = 0
    for i in range(4):
        bit = (h1 + i * h2) & (WORDS * 64 - 1)
        word = bits.lookup(bit >> 6)
        if word is None:
            return -1
        mask = 1 << (bit & 63)
        if word.value & mask:
            known += 1
        else:
            word.value |= mask
    return known
