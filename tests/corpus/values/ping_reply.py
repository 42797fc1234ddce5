"""Answer a ping: every address pair swapped, the type changed, the checksum mended."""

import purebpf as bpf
from purebpf.net import ETH_IP, IP_ICMP, Ethernet, Icmp, IPv4

PASS, TX = 2, 3


@bpf.xdp
def pong(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return PASS
    ip = pkt.pull(IPv4)
    if ip is None or ip.proto != IP_ICMP:
        return PASS
    icmp = pkt.pull(Icmp)
    if icmp is None or icmp.type != 8:
        return PASS
    eth.src, eth.dst = eth.dst, eth.src
    ip.src, ip.dst = ip.dst, ip.src
    icmp.type = 0
    total = icmp.csum + 0x0800
    icmp.csum = (total & 0xFFFF) + (total >> 16)
    return TX


A, B = bytes.fromhex("020000000001"), bytes.fromhex("0200000000fe")
IP = "4500001c00000000400100000a0000010a0000fe"
BACK = "4500001c00000000400100000a0000fe0a000001"
CASES = [
    {"data": A + B + bytes.fromhex("0800" + IP + "0800f7ff00000000"), "retval": 3,
     "after": B + A + bytes.fromhex("0800" + BACK + "0000ffff00000000")},
    {"data": A + B + bytes.fromhex("0800" + IP + "0800ffff00000000"), "retval": 3,
     "after": B + A + bytes.fromhex("0800" + BACK + "0000080000000000")},
    {"data": A + B + bytes.fromhex("0806") + bytes(46), "retval": 2, "after": A + B + bytes.fromhex("0806") + bytes(46)},
]
