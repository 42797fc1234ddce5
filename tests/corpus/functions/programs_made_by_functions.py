"""A function that makes programs, one for each port: two of one name in one object."""

import purebpf as bpf
from purebpf import Global, u32
from purebpf.net import Udp

hits = Global[u32[2]]()


def blocker(port, slot):
    @bpf.xdp
    def block(ctx):
        udp = ctx.packet.at(34, Udp)
        if udp is not None and udp.dport == port:
            hits[slot] += 1
            return 1
        return 2

    return block


dns = blocker(53, 0)
ntp = blocker(123, 1)


def packet(port):
    return bytes(36) + port.to_bytes(2, "big") + bytes(20)


CASES = [
    {"data": packet(53), "retval": 1, "globals_after": {"hits": [1, 0]}},
    {"run": 1, "data": packet(123), "retval": 1, "globals_after": {"hits": [0, 1]}},
    {"run": 1, "data": packet(53), "retval": 2},
]
