"""A full buffer: the body is skipped, the program goes on and counts what it lost."""

import purebpf as bpf
from purebpf import Global, RingBuf, u8, u32


@bpf.struct
class Big:
    n: u32
    data: u8[1000]


events = RingBuf[Big](max_entries=4096)
lost = Global[u32](0)


@bpf.xdp
def prog(ctx):
    for i in range(6):
        sent = False
        with events.reserve() as e:
            e.n = i
            sent = True
        if not sent:
            lost.value += 1
    return lost


CASES = [{"retval": 2, "records": {"events": [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]}}]
