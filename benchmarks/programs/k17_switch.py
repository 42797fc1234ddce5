"""TC: a byte-code interpreter of sixteen operations."""

import purebpf as bpf
from purebpf import Array, u8, u32, u64

OFFSET, STEPS = 14 + 20 + 8, 24

opcount = Array[u64](max_entries=16)


@bpf.tc
def k17_switch(ctx):
    code = ctx.packet.at(OFFSET, u8[STEPS * 2])
    if code is None:
        return -1
    acc: u64 = 1
    aux: u64 = 0
    last = 0
    for i in range(STEPS):
        arg = code[i * 2 + 1]
        last = code[i * 2] & 15
        match last:
            case 0:
                acc += arg
            case 1:
                acc -= arg
            case 2:
                acc *= arg | 1
            case 3:
                acc ^= arg << 8
            case 4:
                acc |= arg
            case 5:
                acc &= ~arg
            case 6:
                acc <<= arg & 7
            case 7:
                acc >>= arg & 7
            case 8:
                aux = acc
            case 9:
                acc += aux
            case 10:
                acc = aux - acc
            case 11:
                acc ^= acc >> 13
            case 12:
                aux ^= acc
                acc ^= aux
            case 13:
                acc = max(acc, arg)
            case 14:
                acc = ~acc
            case 15:
                acc = u32(acc * 2654435761)
    n = opcount.lookup(last)
    if n:
        n.value += acc
    return (acc ^ acc >> 32) & 0x7FFFFFFF
