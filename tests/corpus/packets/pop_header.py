"""A VLAN tag taken off: the addresses move four bytes up, over themselves."""

import purebpf as bpf
from purebpf import u8
from purebpf.net import ETH_VLAN, Ethernet


@bpf.struct
class Macs:
    both: u8[12]


@bpf.xdp
def pop_vlan(ctx):
    pkt = ctx.packet
    eth = pkt.peek(Ethernet)
    if eth is None or eth.proto != ETH_VLAN:
        return 2
    macs = pkt.at(0, Macs)
    room = pkt.at(4, Macs)
    if macs is None or room is None:
        return 0
    room.both = macs.both
    if bpf.helpers.xdp_adjust_head(ctx, 4):
        return 1
    after = ctx.packet.peek(Ethernet)
    return 3 if after is not None and after.proto == 0x0800 else 0


MACS = bytes(range(1, 13))
CASES = [
    {"data": MACS + b"\x81\0\0\x64\x08\0" + bytes(50), "retval": 3, "after": MACS + b"\x08\0" + bytes(50)},
    {"data": MACS + b"\x08\0" + bytes(50), "retval": 2, "after": MACS + b"\x08\0" + bytes(50)},
]
