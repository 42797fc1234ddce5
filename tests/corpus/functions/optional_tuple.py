"""A parser that gives an offset and a protocol, or None."""

import purebpf as bpf
from purebpf.net import ETH_IP, ETH_IPV6, ETH_VLAN, Ethernet, IPv4, IPv6, Vlan


def parse(pkt):
    eth = pkt.pull(Ethernet)
    if eth is None:
        return None
    proto = eth.proto
    for _ in range(2):
        if proto == ETH_VLAN:
            vlan = pkt.pull(Vlan)
            if vlan is None:
                return None
            proto = vlan.proto
    if proto == ETH_IP:
        ip = pkt.pull(IPv4)
        return (4, ip.proto) if ip else None
    if proto == ETH_IPV6:
        ip6 = pkt.pull(IPv6)
        return (6, ip6.next) if ip6 else None
    return 0, 0


@bpf.xdp
def prog(ctx):
    found = parse(ctx.packet)
    if found is None:
        return 1
    version, proto = found
    return version * 100 + proto


V4 = b"\x08\0" + bytes(9) + b"\x11" + bytes(40)
CASES = [
    {"data": bytes(12) + V4, "retval": 417},
    {"data": bytes(12) + b"\x81\0\0\5" + V4, "retval": 417},
    {"data": bytes(12) + b"\x81\0\0\5\x81\0\0\6\x86\xdd" + bytes(6) + b"\x3a" + bytes(40), "retval": 658},
    {"data": bytes(12) + b"\x81\0\0\5", "retval": 1},
    {"data": bytes(12) + b"\x81\0", "retval": 1},
    {"data": bytes(12) + b"\x08\0" + bytes(10), "retval": 1},
    {"data": bytes(14), "retval": 0},
]
