"""A record filled in place; what is not written is zero, whatever lay there before."""

import purebpf as bpf
from purebpf import RingBuf, char, u8, u16, u32, u64


@bpf.struct
class Event:
    kind: u8
    pid: u32
    when: u64
    path: char[16]
    port: u16


events = RingBuf[Event](max_entries=4096)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    with events.reserve() as e:
        e.kind = 1
        e.pid = 0xDEAD
        e.when = 0xDEADDEADDEAD
        e.path = "sixteen-bytes-ab"
        e.port = 0xBEEF
    for _ in range(60):
        with events.reserve() as e:
            e.kind = 2
            if n:
                e.port = n
    return 2


CASES = [{"data": b"\7" + bytes(63), "times": 4, "retval": 2, "records": {
    "events": lambda got: len(got) == 244 and all((e.kind, e.pid, e.when, e.path) == (2, 0, 0, "") and e.port == 7
                                                 for e in got if e.kind != 1)}}]
