"""Encapsulation: room in front, headers read anew, MAC addresses moved."""

import purebpf as bpf
from purebpf.net import ETH_VLAN, Ethernet, Vlan


@bpf.xdp
def push_vlan(ctx):
    if bpf.helpers.xdp_adjust_head(ctx, -4) != 0:
        return 0
    pkt = ctx.packet
    old = pkt.at(4, Ethernet)
    eth = pkt.pull(Ethernet)
    vlan = pkt.pull(Vlan)
    if old is None or eth is None or vlan is None:
        return 1
    proto = old.proto
    eth.dst = old.dst
    eth.src = old.src
    eth.proto = ETH_VLAN
    vlan.tci = 100
    vlan.proto = proto
    return 2


MACS = bytes(range(1, 13))
CASES = [{"data": MACS + b"\x08\0" + bytes(50), "retval": 2, "after": MACS + b"\x81\0\0\x64\x08\0" + bytes(50)}]
