"""A socket filter that keeps UDP packets of one port."""

import purebpf as bpf
from purebpf import Const, be16, helpers, u8, u16
from purebpf.net import IP_UDP

port = Const[u16](53)
network = Const[u16](14)  # where the IP header begins


@bpf.struct
class Ports:
    source: be16
    target: be16


@bpf.socket_filter
def only(ctx):
    proto = u8[1]()
    ports = Ports()
    if helpers.skb_load_bytes(ctx, network + 9, proto, 1) < 0 or proto[0] != IP_UDP:
        return 0
    if helpers.skb_load_bytes(ctx, network + 20, ports, bpf.sizeof(Ports)) < 0:
        return 0
    return ctx.len if ports.target == port else 0


def packet(proto, to):
    return bytes(23) + bytes([proto]) + bytes(12) + to.to_bytes(2, "big") + bytes(24)


CASES = [  # what test_run gives to a socket filter begins with the IP header
    {"data": packet(17, 53), "constants": {"network": 0}, "retval": lambda n: n > 0},
    {"data": packet(17, 54), "constants": {"network": 0}, "retval": 0},
    {"data": packet(6, 53), "constants": {"network": 0}, "retval": 0},
    {"data": packet(17, 54), "constants": {"network": 0, "port": 54}, "retval": lambda n: n > 0},
    {"data": packet(17, 53), "constants": {"network": 1000}, "retval": 0},
]
