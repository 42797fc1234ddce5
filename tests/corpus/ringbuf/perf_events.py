"""The older way to send records: the perf event array."""

import purebpf as bpf
from purebpf import PerfEventArray, char, u32


@bpf.struct
class Event:
    size: u32
    note: char[8]


events = PerfEventArray[Event](max_entries=64)


@bpf.tc
def prog(ctx):
    events.output(ctx, Event(size=ctx.len, note="tc"))
    return 0


CASES = [{"retval": 0}]
