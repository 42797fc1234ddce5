"""Bytes of a socket buffer copied into an array of the program, wherever they lie."""

import purebpf as bpf
from purebpf import HashMap, u8, u32, u64


@bpf.struct
class Key:
    kind: u32
    mac: u8[6]


seen = HashMap[Key, u64](max_entries=8)


@bpf.tc
def prog(ctx):
    buffer = u8[8]()
    if bpf.helpers.skb_load_bytes(ctx, 14, buffer, 8) < 0:
        return 2
    key = Key(kind=buffer[0])
    if bpf.helpers.skb_load_bytes(ctx, 6, key.mac, 6) < 0:
        return 2
    seen[key] += 1
    return buffer[7]


CASES = [
    {"data": bytes(6) + b"\1\2\3\4\5\6" + b"\x08\0" + b"\x45\0\0\0\0\0\0\x63" + bytes(42), "retval": 0x63,
     "maps_after": {"seen": {(0x45, b"\1\2\3\4\5\6"): 1}}},
    {"data": bytes(12) + b"\x88\xb5\1", "retval": 2},
]
