"""`Event[4]`: an array of the user's own struct, the first thing everyone writes."""

import purebpf as bpf
from purebpf import Global, u32, u64


@bpf.struct
class Event:
    pid: u32
    when: u64


@bpf.struct
class Batch:
    n: u32
    events: Event[4]


batch = Global[Batch]()


@bpf.xdp
def add(ctx):
    if batch.n == 4:
        return 1
    e = batch.events[batch.n]
    e.pid = ctx.packet[0]
    e.when = batch.n * 10
    batch.n += 1
    return 2


CASES = [
    {"data": bytes([7]) + bytes(63), "times": 2, "retval": 2, "globals_after": {
        "batch": {"n": 2, "events": [(7, 0), (7, 10), (0, 0), (0, 0)]}}},
    {"data": bytes([7]) + bytes(63), "times": 5, "retval": 1, "globals_after": {"batch": {"n": 4}}},
]
