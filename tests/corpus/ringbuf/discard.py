"""A record that turns out not to be wanted."""

import purebpf as bpf
from purebpf import RingBuf, u8, u32


@bpf.struct
class Event:
    first: u8
    size: u32


events = RingBuf[Event](max_entries=4096)


@bpf.xdp
def prog(ctx):
    with events.reserve() as e:
        e.first = ctx.packet[0]
        e.size = len(ctx.packet)
        if e.first == 0:
            e.discard()
            return 1
    return 2


CASES = [
    {"data": b"\5" + bytes(63), "retval": 2, "records": {"events": [(5, 64)]}},
    {"data": bytes(64), "retval": 1, "records": {"events": []}},
]
