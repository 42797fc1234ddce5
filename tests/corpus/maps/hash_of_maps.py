"""A table of hosts per network, each a map of struct values."""

import purebpf as bpf
from purebpf import HashMap, HashOfMaps, be32, u8, u64
from purebpf.net import IPv4


@bpf.struct
class Host:
    packets: u64
    last_ttl: u8


networks = HashOfMaps[be32](inner=HashMap[be32, Host](max_entries=64), max_entries=8)


@bpf.xdp
def prog(ctx):
    ip = ctx.packet.at(14, IPv4)
    if ip is None:
        return 1
    hosts = networks.lookup(ip.src & 0xFFFFFF00)
    if hosts is None:
        return 2
    host = hosts.lookup(ip.src)
    if host is None:
        hosts[ip.src] = Host(packets=1, last_ttl=ip.ttl)
        return 3
    host.packets += 1
    host.last_ttl = ip.ttl
    return 4


PACKET = bytes(22) + b"\x40" + bytes(3) + bytes([10, 0, 1, 5]) + bytes(34)
CASES = [
    {"data": PACKET, "retval": 2},
    {"data": PACKET, "maps": {"networks": {0x0A000100: {}}}, "retval": 3,
     "maps_after": {"networks": {0x0A000100: {0x0A000105: (1, 64)}}}},
    {"data": PACKET, "times": 3, "maps": {"networks": {0x0A000100: {}}}, "retval": 4,
     "maps_after": {"networks": {0x0A000100: {0x0A000105: (3, 64)}}}},
]
