"""Addresses rewritten with the kernel's checksum helpers: network order goes as it is."""

import purebpf as bpf
from purebpf.net import Ethernet, IPv4

CSUM, DST = 14 + 10, 14 + 16
VIP, REAL = 0x0A000001, 0x0A000002


@bpf.tc
def nat(ctx):
    ip = ctx.packet.at(bpf.sizeof(Ethernet), IPv4)
    if ip is None or ip.dst != VIP:
        return 2
    bpf.helpers.l3_csum_replace(ctx, CSUM, bpf.htonl(VIP), bpf.htonl(REAL), 4)
    bpf.helpers.skb_store_bytes(ctx, DST, bpf.htonl(REAL), 4, 0)
    again = ctx.packet.at(bpf.sizeof(Ethernet), IPv4)
    return again.csum if again else 2


HEAD = bytes(12) + b"\x08\0" + bytes.fromhex("45000014000000004006")
CASES = [{"data": HEAD + bytes.fromhex("0000 0a000001 0a000001") + bytes(20), "retval": 0xFFFE,
          "after": HEAD + bytes.fromhex("fffe 0a000001 0a000002") + bytes(20)}]
