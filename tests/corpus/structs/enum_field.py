"""An IntEnum as a field has C's four bytes, and compares with its members."""

from enum import IntEnum

import purebpf as bpf
from purebpf import Global, RingBuf, u32


class Kind(IntEnum):
    OPEN = 1
    CLOSE = 2
    EXEC = 7


@bpf.struct
class Event:
    kind: Kind
    pid: u32


events = RingBuf[Event](max_entries=4096)
last = Global[Event]()


@bpf.xdp
def prog(ctx):
    e = Event(kind=Kind.EXEC, pid=9)
    events.output(e)
    was_open = last.kind == Kind.OPEN
    last.kind = Kind(ctx.packet[0])
    if was_open and last.kind != Kind.OPEN:
        return bpf.sizeof(Event) * 10 + last.kind
    return bpf.sizeof(Event)


CASES = [
    {"data": bytes([2]) + bytes(63), "retval": 8, "records": {"events": [(7, 9)]}, "globals_after": {"last": (2, 0)}},
    {"set": {"last": {"kind": 1, "pid": 3}}, "data": bytes([2]) + bytes(63), "retval": 82},
]
