"""An array field filled from a list of run-time values."""

import purebpf as bpf
from purebpf import HashMap, u8, u32


@bpf.struct
class Key:
    words: u32[3]
    tag: u8[4]


m = HashMap[Key, u32](max_entries=4)


@bpf.xdp
def prog(ctx):
    a = ctx.packet[0]
    k = Key(words=[a, a * 2, 5], tag=b"ab")
    m[k] = 1
    k.words = [1, 2, a]
    k.tag = bytes([a, 1, 2, 3])
    m[k] = 2
    return k.words[2] + k.tag[3]


CASES = [{"data": bytes([8]) + bytes(63), "retval": 11,
          "maps_after": {"m": {((8, 16, 5), b"ab\0\0"): 1, ((1, 2, 8), bytes([8, 1, 2, 3])): 2}}}]
