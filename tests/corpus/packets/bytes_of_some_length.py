"""Bytes of the packet whose offset and number the packet gives: compared, sliced, hashed, in a function and a loop; none, too many."""

import purebpf as bpf
from purebpf import Global, HashMap, char, u8, u32


@bpf.struct
class Names:
    first: char[16]
    second: u8[20]
    size: u32


names = Global[Names]()
seen = HashMap[u8[7], u32](max_entries=8)


def label(pkt, at):
    size = pkt.at(at, u8)
    if size is None:
        return None
    return pkt.bytes(at + 1, min(size.value, 15))


@bpf.tc
def prog(ctx):
    pkt = ctx.packet
    text = label(pkt, 14)
    if text is None:
        return 50
    names.first = text
    n = 0
    for i in range(2):
        part = pkt.bytes(i * 8, pkt[40 + i] & 7)
        if part is not None:
            seen[part] = i
            n += part == b"abc"
    rest = pkt.bytes(16, min(len(pkt) - 16, 20))
    if rest is None:
        return 60
    names.second = rest
    far = pkt.bytes(pkt[42], pkt[43] & 63)
    return n + (10 if far is None else 20) + (text == b"host")


PACKET = b"abc" + bytes(5) + b"xyzabc" + b"\4host" + bytes(21) + b"\3\2\0\1" + bytes(20)
CASES = [
    {"data": PACKET, "retval": 22, "globals_after": {"names": {"first": "host", "second": tuple(PACKET[16:36])}},
     "maps_after": {"seen": {b"abc" + bytes(4): 0, b"xy" + bytes(5): 1}}},
    {"data": PACKET[:42] + b"\x3f\x02" + PACKET[44:], "retval": 12},
    {"data": PACKET[:14] + b"\0" + PACKET[15:40] + b"\0\1\0\0" + bytes(20), "retval": 20, "globals_after": {"names": {"first": ""}},
     "maps_after": {"seen": {bytes(7): 0, b"x" + bytes(6): 1}}},
]
