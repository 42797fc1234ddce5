"""Arrays and strings as values and as keys."""

import purebpf as bpf
from purebpf import HashMap, char, u8, u32, u64

slots = HashMap[u32, u64[4]](max_entries=4)
macs = HashMap[u8[6], char[8]](max_entries=4)


@bpf.xdp
def prog(ctx):
    s = slots.lookup(1)
    if s is None:
        return 0
    s[2] += 5
    s[ctx.packet[0] & 3] += 1
    mac = ctx.packet.bytes(6, 6)
    if mac is None:
        return 1
    macs[mac] = "known"
    name = macs.get(b"\1\2\3\4\5\6", "none")
    slots[2] = s
    return s[2] + (name == "known") * 100


MAC = b"\1\2\3\4\5\6"
CASES = [
    {"data": bytes(6) + MAC + bytes(52), "maps": {"slots": {1: [1, 2, 3, 4]}}, "retval": 108,
     "maps_after": {"slots": {1: (2, 2, 8, 4), 2: (2, 2, 8, 4)}, "macs": {MAC: "known"}}},
]
