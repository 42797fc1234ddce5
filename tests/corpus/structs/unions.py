"""A union of two address families, told apart by a tag."""

import purebpf as bpf
from purebpf import HashMap, be32, u8, u16, u32, u64


@bpf.union
class Address:
    v4: be32
    v6: u8[16]
    words: u32[4]


@bpf.struct
class Peer:
    family: u16
    addr: Address


seen = HashMap[Peer, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    p = Peer(family=2)
    p.addr.v4 = 0x0A000001
    seen[p] += 1
    p.family = 10
    p.addr.words[0] = 0
    p.addr.v6[0] = 0xFE
    p.addr.v6[15] = 1
    seen[p] += 1
    return p.addr.words[0] + p.addr.v6[15] * 1000


CASES = [{"retval": 1254, "maps_after": {"seen": {
    (2, lambda a: a.v4 == 0x0A000001 and bytes(a)[4:] == bytes(12)): 1,
    (10, lambda a: bytes(a) == b"\xfe" + bytes(14) + b"\1"): 1}}, "big": {"retval": 0xFE000000 + 1000}}]
