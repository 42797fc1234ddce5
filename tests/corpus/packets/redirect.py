"""A load balancer: a backend by hash, its address written, sent on."""

import purebpf as bpf
from purebpf import Array, be32, u8, u16, u32
from purebpf.net import Ethernet, IPv4, Udp


@bpf.struct
class Backend:
    addr: be32
    mac: u8[6]
    weight: u16


backends = Array[Backend](max_entries=4)


def jhash(a: u32, b: u32) -> u32:
    h: u32 = a ^ 0x9E3779B9
    h = u32(h * 31 + b)
    return h ^ h >> 16


@bpf.xdp
def balance(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    ip = pkt.pull(IPv4)
    udp = pkt.pull(Udp)
    if eth is None or ip is None or udp is None:
        return bpf.XDP_PASS
    slot = jhash(ip.src, udp.sport) % 3
    backend = backends[slot]
    if backend.addr == 0:
        return bpf.XDP_DROP
    eth.src = eth.dst
    eth.dst = backend.mac
    ip.dst = backend.addr
    return bpf.XDP_TX


H = 10 ^ 0x9E3779B9
H = (H * 31 + 80) & 0xFFFFFFFF
SLOT = (H ^ H >> 16) % 3
MAC, ME = b"\2\0\0\0\0\7", b"\2\0\0\0\0\1"
IP = bytes(12) + b"\0\0\0\x0a"
CASES = [
    {"data": ME + bytes(6) + b"\x08\0" + IP + bytes(4) + b"\0\x50" + bytes(20), "retval": 3,
     "maps": {"backends": {SLOT: {"addr": 0x0A000007, "mac": list(MAC), "weight": 1}}},
     "after": MAC + ME + b"\x08\0" + IP + b"\x0a\0\0\7" + b"\0\x50" + bytes(20)},
    {"data": bytes(64), "retval": 1},
    {"data": bytes(30), "retval": 2},
]
