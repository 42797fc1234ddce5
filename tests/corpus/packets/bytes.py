"""Bytes of the packet compared, stored, a key, copied within the packet; a length that is only known at run time."""

import purebpf as bpf
from purebpf import Global, HashMap, RingBuf, u8, u32, u64


@bpf.struct
class Sample:
    size: u32
    data: u8[32]


samples = RingBuf[Sample](max_entries=4096)
macs = HashMap[u8[6], u64](max_entries=16)
head = Global[u8[8]]()


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    src = pkt.bytes(6, 6)
    start = pkt.bytes(0, 8)
    if src is None or start is None:
        return 1
    macs[src] += 1
    head.value = start
    if pkt.bytes(12, 4) == b"GET ":
        return 3
    n = min(len(pkt), 32)
    with samples.reserve() as s:
        s.size = n
        part = pkt.bytes(0, n)
        if part is not None:
            s.data = part
    if src == pkt.bytes(0, 6):
        return 4
    return 2


A, B = b"\1\2\3\4\5\6", b"\7\x08\x09\x0a\x0b\x0c"
CASES = [
    {"data": A + B + b"GET /" + bytes(10), "retval": 3, "maps_after": {"macs": {B: 1}}, "globals_after": {"head": A + B[:2]}},
    {"data": A + B + b"xyz", "retval": 2, "records": {"samples": [(15, (A + B + b"xyz").ljust(32, b"\0"))]}},
    {"data": A + A + bytes(range(40)), "retval": 4, "records": {"samples": [(32, A + A + bytes(range(20)))]}},
]
