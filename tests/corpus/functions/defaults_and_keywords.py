"""Default arguments, keywords, and arguments that are constants, maps or types."""

import purebpf as bpf
from purebpf import HashMap, u8, u16, u32, u64

ins = HashMap[u32, u64](max_entries=4)
outs = HashMap[u32, u64](max_entries=4)


def account(m, key, n=1, *, double=False):
    m[key] += n * 2 if double else n


def word(pkt, kind, offset=0):
    p = pkt.at(offset, kind)
    return p.value if p else 0


@bpf.xdp
def prog(ctx):
    account(ins, 1)
    account(outs, 1, n=5)
    account(ins, key=2, n=3, double=True)
    return word(ctx.packet, u16) + word(ctx.packet, u8, offset=2) * 0x10000 + word(ctx.packet, u32, 1000)


CASES = [{"data": b"\1\2\3\4" + bytes(60), "retval": 0x30201,
          "maps_after": {"ins": {1: 1, 2: 6}, "outs": {1: 5}}, "big": {"retval": 0x30102}}]
