"""An event stream, annotated as type checkers want it."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, RingBuf, char, u8, u16, u32


@bpf.struct
class Event:
    pid: u32
    size: u16
    comm: Array[char, Literal[16]]
    head: Array[u8, Literal[4]]
    kind: u8


@bpf.struct
class Batch:
    used: u32
    events: Array[Event, Literal[2]]


events = RingBuf[Event](max_entries=4096)
batch = Global[Batch]()


def note(e: Event, size: int) -> bool:
    if size > 1000:
        return False
    e.size = size
    e.comm = "typed"
    e.head[0] = size & 0xFF
    return e.comm.startswith("ty")


@bpf.xdp
def program(ctx: bpf.XdpContext) -> int:
    slot = batch.events[batch.used & 1]
    slot.pid = 7
    if not note(slot, len(ctx.packet)):
        return 1
    batch.used += 1
    events.output(slot)
    return 2


CASES = [{"times": 2, "retval": 2, "records": {"events": [(7, 64, "typed", [64, 0, 0, 0], 0)] * 2},
          "globals_after": {"batch": {"used": 2}}}]
