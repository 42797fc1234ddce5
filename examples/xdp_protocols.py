"""Packets and bytes per protocol on an interface; UDP to one port is dropped."""

import sys
import time
from enum import IntEnum

import purebpf as bpf
from purebpf import Const, PerCpuArray, u16, u64
from purebpf.net import ETH_IP, ETH_IPV6, ETH_VLAN, IP_TCP, IP_UDP, Ethernet, IPv4, IPv6, Udp, Vlan


class Kind(IntEnum):
    OTHER, TCP, UDP = range(3)


@bpf.struct
class Counter:
    packets: u64
    bytes: u64


stats = PerCpuArray[Counter](max_entries=len(Kind))
blocked_port = Const[u16](9999)


@bpf.xdp
def protocols(ctx: bpf.XdpContext) -> bpf.XdpAction:
    pkt = ctx.packet
    size = len(pkt)
    eth = pkt.pull(Ethernet)
    if eth is None:
        return bpf.XDP_DROP
    proto = eth.proto
    if proto == ETH_VLAN and (tag := pkt.pull(Vlan)):
        proto = tag.proto
    l4 = 0
    if proto == ETH_IP and (ip := pkt.pull(IPv4)):
        l4 = ip.proto
        pkt.skip((ip.vihl & 15) * 4 - 20)
    elif proto == ETH_IPV6 and (ip6 := pkt.pull(IPv6)):
        l4 = ip6.next
    entry = stats.lookup(Kind.TCP if l4 == IP_TCP else Kind.UDP if l4 == IP_UDP else Kind.OTHER)
    if entry:
        entry.packets += 1
        entry.bytes += size
    if l4 == IP_UDP and (udp := pkt.pull(Udp)) and udp.dport == blocked_port:
        return bpf.XDP_DROP
    return bpf.XDP_PASS


if __name__ == "__main__":
    with bpf.load(protocols) as k:
        k[protocols].attach(sys.argv[1] if len(sys.argv) > 1 else "lo")
        time.sleep(5)
        for kind in Kind:
            print(f"{kind.name:>6} {k[stats][kind].sum()}")
