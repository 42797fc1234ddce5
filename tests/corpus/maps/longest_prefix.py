"""A firewall by network: the longest prefix decides."""

import purebpf as bpf
from purebpf import LpmTrie, be32, u8, u32
from purebpf.net import IPv4


@bpf.struct
class Network:
    bits: u32
    addr: be32


rules = LpmTrie[Network, u8](max_entries=128)


@bpf.xdp
def filter(ctx):
    ip = ctx.packet.at(14, IPv4)
    if ip is None:
        return 2
    verdict = rules.lookup(Network(32, ip.src))
    return verdict.value if verdict else 2


RULES = {"rules": {(8, 0x0A000000): 1, (24, 0x0A000100): 3}}


def packet(*addr):
    return bytes(26) + bytes(addr) + bytes(34)


CASES = [
    {"maps": {"rules": {}}, "data": packet(10, 0, 1, 5), "retval": 2},
    {"maps": RULES, "data": packet(10, 0, 1, 5), "retval": 3},
    {"maps": RULES, "data": packet(10, 9, 1, 5), "retval": 1},
    {"maps": RULES, "data": packet(11, 0, 1, 5), "retval": 2},
]
