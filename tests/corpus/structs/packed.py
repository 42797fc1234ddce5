"""A packed header on the stack, in a map and in the packet."""

import purebpf as bpf
from purebpf import Global, HashMap, u8, u32, u64


@bpf.struct(packed=True)
class Tlv:
    tag: u8
    length: u32
    value: u64
    end: u8


table = HashMap[Tlv, u32](max_entries=4)
copy = Global[Tlv]()


@bpf.xdp
def prog(ctx):
    t = ctx.packet.at(1, Tlv)
    if t is None:
        return 0
    local = Tlv(tag=t.tag, length=t.length + 1, value=t.value * 2, end=t.end)
    table[local] = 5
    copy.value = local
    t.length = local.length
    return bpf.sizeof(Tlv)




def frame(length, order):
    return b"\0\1" + length.to_bytes(4, order) + (1 << 40).to_bytes(8, order) + b"\xee" + bytes(49)


CASES = [{"data": frame(7, "little"), "retval": 14, "maps_after": {"table": {(1, 8, 1 << 41, 0xEE): 5}},
          "globals_after": {"copy": (1, 8, 1 << 41, 0xEE)}, "after": frame(8, "little"),
          "big": {"data": frame(7, "big"), "after": frame(8, "big")}}]
