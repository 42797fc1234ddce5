"""TCP options behind headers whose length the packet says: walked with `while`, by a function, with several results carried along."""

import purebpf as bpf
from purebpf import Global, be16, be32, u8, u32
from purebpf.net import Ethernet, IPv4, Tcp


@bpf.struct
class Found:
    mss: u32
    scale: u32
    stamp: u32
    kinds: u32
    sack: u32


found = Global[Found]()


def walk(pkt, at, end):
    while at < end:
        kind = pkt.at(at, u8)
        if kind is None or kind.value == 0:
            return 1
        if kind.value == 1:
            at += 1
            found.kinds += 1
            continue
        size = pkt.at(at + 1, u8)
        if size is None or size.value < 2:
            return 3
        match kind.value:
            case 2:
                mss = pkt.at(at + 2, be16)
                if mss is not None:
                    found.mss = mss.value
            case 3:
                scale = pkt.at(at + 2, u8)
                found.scale = scale.value if scale is not None else 0
            case 4:
                found.sack = 1
            case 8:
                stamp = pkt.at(at + 2, be32)
                if stamp:
                    found.stamp = stamp.value
        found.kinds += 10
        at += size.value
    return 2


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth, ip = pkt.pull(Ethernet), pkt.pull(IPv4)
    if eth is None or ip is None:
        return 0
    pkt.skip((ip.vihl & 15) * 4 - 20)
    tcp = pkt.pull(Tcp)
    if tcp is None:
        return 0
    return walk(pkt, 0, (tcp.off >> 4) * 4 - 20)


HEAD = bytes(14) + b"\x46" + bytes(19) + bytes(4) + bytes(12)
CASES = [
    {"data": HEAD + b"\xa0" + bytes(7) + b"\2\4\5\xb4\4\2\x08\x0a\0\0\1\2\0\0\0\0\1\3\3\7" + bytes(8), "retval": 2,
     "globals_after": {"found": {"mss": 1460, "scale": 7, "stamp": 258, "kinds": 41, "sack": 1}}},
    {"data": HEAD + b"\x70" + bytes(7) + b"\1\1\0\1\1\1\1\1" + bytes(8), "retval": 1, "globals_after": {"found": {"kinds": 2}}},
    {"data": HEAD + b"\x70" + bytes(7) + b"\2\1\5\xb4\1\1\1\1" + bytes(8), "retval": 3},
    {"data": HEAD + b"\x50" + bytes(7) + bytes(16), "retval": 2},
]
