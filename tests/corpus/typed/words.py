"""Words for addresses and for places, casts, byte order."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, Ptr, RingBuf, char, u8, u16, u32
from purebpf.net import Ethernet


@bpf.struct
class Line:
    mac: Array[char, Literal[24]]
    ip: Array[char, Literal[24]]
    raw: Array[char, Literal[16]]


@bpf.struct
class Inner:
    a: u32
    b: u32


lines = RingBuf[Line](max_entries=4096)
where = Global[u32](0)
swapped = Global[u16](0)
narrow = Global[u8](0)
value = Global[u32](9)
inner = Global[Inner]()


@bpf.func
def bump(n: Ptr[u32], by: u32) -> u32:
    n.value += by
    return n.value


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return bpf.XDP_DROP
    with lines.reserve() as e:
        e.mac = bpf.mac(eth.src)
        e.ip = bpf.ip4(0x0A000001)
        e.raw = bpf.hex(eth.dst)
    where.value = bpf.offsetof(Inner, "b") + bpf.sizeof(Inner)
    swapped.value = bpf.htons(0x1234)
    narrow.value = u8(300)
    bump(bpf.addr(value.value), 2)
    return bpf.XDP_PASS


CASES = [{"data": bytes([1, 2, 3, 4, 5, 6]) + bytes([0xA, 0xB, 0, 0, 0, 1]) + bytes(52), "retval": 2,
          "records": {"lines": [("0a:0b:00:00:00:01", "10.0.0.1", "010203040506")]},
          "globals_after": {"where": 12, "swapped": 0x3412, "narrow": 44, "value": 11},
          "big": {"globals_after": {"where": 12, "swapped": 0x1234, "narrow": 44, "value": 11}}}]
