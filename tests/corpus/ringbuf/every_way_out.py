"""return, break and continue inside the block submit; an abort does not."""

import purebpf as bpf
from purebpf import Global, RingBuf, u32

events = RingBuf[u32](max_entries=4096)
table = Global[u32[4]]((9, 9, 9, 9))


@bpf.xdp
def prog(ctx):
    mode = ctx.packet[0]
    for i in range(5):
        with events.reserve() as e:
            e.value = i
            if i == 1 and mode == 1:
                continue
            if i == 2 and mode == 2:
                break
            if i == 3 and mode == 3:
                return 33
            if i == 3 and mode == 4:
                e.value = table[mode]
    return mode


CASES = [
    {"data": b"\1" + bytes(63), "retval": 1, "records": {"events": [0, 1, 2, 3, 4]}},
    {"data": b"\2" + bytes(63), "retval": 2, "records": {"events": [0, 1, 2]}},
    {"data": b"\3" + bytes(63), "retval": 33, "records": {"events": [0, 1, 2, 3]}},
    {"data": b"\4" + bytes(63), "retval": 0, "records": {"events": [0, 1, 2]}},
]
