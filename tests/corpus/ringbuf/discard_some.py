"""Records discarded on some paths: in a loop, in a condition, at the end; a record of a number; `discard` as a field's name."""

import purebpf as bpf
from purebpf import Global, RingBuf, u8, u32


@bpf.struct
class Event:
    at: u32
    byte: u8


@bpf.struct
class Odd:
    discard: u32


events = RingBuf[Event](max_entries=4096)
numbers = RingBuf[u32](max_entries=4096)
odds = RingBuf[Odd](max_entries=4096)
dropped = Global[u32](0)


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    for i in range(4):
        with events.reserve() as e:
            e.at = i
            e.byte = pkt[i]
            if e.byte == 0:
                dropped.value += 1
                e.discard()
                continue
            if e.byte == 255:
                e.discard()
                break
            if e.byte > 100:
                e.discard()
            e.at += 10
    with numbers.reserve() as n:
        n.value = pkt[0]
        n.discard()
    with numbers.reserve() as n:
        n.value = pkt[1]
        assert pkt[1] != 7
    with odds.reserve() as o:
        o.discard = 3
    return 2


CASES = [
    {"data": bytes([1, 0, 101, 4]) + bytes(60), "retval": 2, "globals_after": {"dropped": 1},
     "records": {"events": [(10, 1), (13, 4)], "numbers": [0], "odds": [(3,)]}},
    {"data": bytes([1, 7, 255, 4]) + bytes(60), "retval": 0, "globals_after": {"dropped": 0},
     "records": {"events": [(10, 1), (11, 7)], "numbers": [], "odds": []}},
]
