"""Big-endian fields compute as the numbers they stand for."""

import purebpf as bpf
from purebpf import Global, HashMap, be16, be32, be64, u32


@bpf.struct
class Header:
    port: be16
    addr: be32
    id: be64


g = Global[Header]()
seen = HashMap[be32, u32](max_entries=4)


@bpf.xdp
def prog(ctx):
    h = ctx.packet.pull(Header)
    if h is None:
        return 0
    h.port += 1
    h.addr = h.addr & 0xFFFFFF00 | 7
    h.id = max(h.id, 1 << 40)
    g.value = h
    seen[h.addr] += h.port
    return bpf.htons(h.port) & 0xFF  # the first byte of it on a little-endian machine, the last on the others


RAW = bytes.fromhex("00ff 0000 0a0102ff 0000000000000005")
CASES = [{"data": RAW + bytes(48), "retval": 1, "after": bytes.fromhex("0100 0000 0a010207 0000010000000000") + bytes(48),
          "globals_after": {"g": (256, 0x0A010207, 1 << 40)}, "maps_after": {"seen": {0x0A010207: 256}}, "big": {"retval": 0}}]
