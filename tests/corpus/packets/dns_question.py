"""The first label of a DNS question, found and compared."""

import purebpf as bpf
from purebpf import HashMap, char, u64
from purebpf.net import IP_UDP, Ethernet, IPv4, Udp

names = HashMap[char[16], u64](max_entries=64)


@bpf.xdp
def dns(ctx):
    pkt = ctx.packet
    if not pkt.pull(Ethernet):
        return 2
    ip = pkt.pull(IPv4)
    if not ip or ip.proto != IP_UDP:
        return 2
    udp = pkt.pull(Udp)
    if not udp or udp.dport != 53:
        return 2
    pkt.skip(12)
    size = pkt[0]
    if size == 0 or size > 15:
        return 2
    name = char[16]()
    for i in range(15):
        if i >= size:
            break
        name[i] = pkt[i + 1]
    names[name] += 1
    return 1 if name == "blocked" else 3


def question(label):
    return (bytes(14) + b"\x45" + bytes(8) + b"\x11" + bytes(10) + bytes(2) + b"\0\x35" + bytes(4) + bytes(12)
            + bytes([len(label)]) + label + b"\3com\0\0\1\0\1")


CASES = [
    {"data": question(b"blocked"), "retval": 1, "maps_after": {"names": {"blocked": 1}}},
    {"data": question(b"example"), "retval": 3, "maps_after": {"names": {"example": 1}}},
    {"data": question(b"a" * 16), "retval": 2},
    {"data": bytes(64), "retval": 2},
]
