"""VLAN tags while there are any, at most five; then the header's checksum through a subprogram, and the frame goes back."""

import purebpf as bpf
from purebpf import XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, PerCpuHash, be16, u16, u32, u64
from purebpf.net import ETH_IP, Ethernet, IPv4, Vlan

counts = PerCpuHash[u16, u64](max_entries=256)
MAX = 5


@bpf.func
def folded(s: u32) -> u16:
    s = (s & 0xFFFF) + (s >> 16)
    s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None:
        return XDP_DROP
    proto = eth.proto
    vlans = 0
    while proto in (0x8100, 0x88A8) and vlans < MAX:
        tag = pkt.pull(Vlan)
        if tag is None:
            return XDP_DROP
        proto = tag.proto
        vlans += 1
    if proto == ETH_IP:
        ip = pkt.peek(IPv4)
        if ip is None:
            return XDP_DROP
        s = 0
        for i in range(10):
            w = pkt.at(2 * i, be16)
            if w is None:
                return XDP_DROP
            s += w.value
        counts[u16(vlans)] += 1
        if folded(s):
            return XDP_ABORTED
        ip.ttl -= 1
        eth.src, eth.dst = eth.dst, eth.src
        return XDP_TX
    return XDP_PASS


IP = bytes.fromhex("45000014000000004011 6ac6 0102030405060708".replace(" ", ""))
SENT = bytes.fromhex("4500001400000000 3f11 6ac6 0102030405060708".replace(" ", ""))
MACS, BACK = bytes(range(12)), bytes([*range(6, 12), *range(6)])
TAGS = bytes.fromhex("8100 0001 8100 0002".replace(" ", ""))

CASES = [
    {"data": MACS + b"\x08\x00" + IP + bytes(40), "retval": 3, "after": BACK + b"\x08\x00" + SENT + bytes(40)},
    {"data": MACS + TAGS + b"\x08\x00" + IP + bytes(40), "retval": 3, "after": BACK + TAGS + b"\x08\x00" + SENT + bytes(40)},
    {"data": MACS + b"\x08\x00" + bytes(60), "retval": 0},
    {"data": MACS + b"\x81\x00\x00\x01" * 8 + bytes(60), "retval": 2},
]
