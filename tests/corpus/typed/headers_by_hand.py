"""A packet in functions of one's own, with every method of the cursor."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, Packet, be16, be32, u8, u32
from purebpf.net import ETH_IP, Ethernet, IPv4


@bpf.struct
class Label:
    value: be32
    rest: Array[u8, Literal[4]]


first = Global[u32](0)
port = Global[u32](0)
text = Global[u32](0)


def network(pkt: Packet) -> IPv4 | None:
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return None
    if eth.dst[0] & 1:
        return None
    return pkt.pull(IPv4)


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    pkt = ctx.packet
    first.value = pkt[0]
    ip = network(pkt)
    if ip is None:
        return bpf.XDP_DROP
    pkt.skip((ip.vihl & 15) * 4 - 20)
    number = pkt.peek(be16)
    if number is None:
        return bpf.XDP_DROP
    port.value = number.value
    label = pkt.at(4, Label)
    if label is None:
        return bpf.XDP_DROP
    label.value += 1
    label.rest[1] = 7
    data = pkt.bytes(4, 8)
    if data is not None:
        text.value = data[0] << 8 | data[5]
    return bpf.XDP_TX if len(pkt) > 8 else bpf.XDP_PASS


FRAME = bytes([2]) + bytes(11) + b"\x08\0" + b"\x45" + bytes(19) + b"\x01\xbb" + bytes(2) + b"\x05\0\0\1" + bytes(22)
CASES = [
    {"data": FRAME, "retval": 3, "globals_after": {"first": 2, "port": 443, "text": 0x507},
     "after": FRAME[:41] + b"\2\0\7\0\0" + bytes(18)},
    {"data": bytes([1]) + FRAME[1:], "retval": 1},
]
