"""A header handed to functions, plain ones and subprograms, that read and write it."""

import purebpf as bpf
from purebpf import Ptr, u8, u16
from purebpf.net import Ethernet, IPv4


@bpf.func
def swap_ips(ip: Ptr[IPv4]) -> u16:
    ip.src, ip.dst = ip.dst, ip.src
    return ip.len


def set_ttl(ip: Ptr[IPv4], ttl: u8) -> None:
    ip.ttl = ttl


def is_private(addr) -> bool:
    return addr >> 24 == 10 or addr >> 16 == 0xC0A8


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    if not pkt.pull(Ethernet):
        return 0
    ip = pkt.pull(IPv4)
    if not ip:
        return 0
    if is_private(ip.src) and not is_private(ip.dst):
        set_ttl(ip, 9)
    return swap_ips(ip)


def packet(src, dst, ttl):
    return bytes(14) + bytes.fromhex("4500004d00000000") + bytes([ttl, 6, 0, 0]) + src + dst + bytes(20)


A, B = bytes([192, 168, 0, 1]), bytes([8, 8, 8, 8])
CASES = [
    {"data": packet(A, B, 64), "retval": 77, "after": packet(B, A, 9)},
    {"data": packet(B, A, 64), "retval": 77, "after": packet(A, B, 64)},
]
