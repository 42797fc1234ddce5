"""Records sent by value: numbers, structs built in place, a local changed afterwards, what lies in a map."""

import purebpf as bpf
from purebpf import HashMap, RingBuf, char, u16, u32


@bpf.struct
class Event:
    pid: u32
    comm: char[8]
    port: u16


events = RingBuf[Event](max_entries=4096)
numbers = RingBuf[u32](max_entries=4096)
kept = HashMap[u32, Event](max_entries=4)


@bpf.xdp
def prog(ctx):
    events.output(Event(pid=1, comm="a"))
    e = Event(pid=2, comm="second", port=80)
    events.output(e)
    e.pid = 3
    events.output(e)
    old = kept.lookup(1)
    if old is not None:
        events.output(old)
    numbers.output(ctx.packet[0] + 1)
    numbers.output(7)
    return 2


CASES = [{"data": b"\xff" + bytes(63), "maps": {"kept": {1: {"pid": 4, "comm": "kept", "port": 1}}}, "retval": 2, "records": {
    "events": [(1, "a", 0), (2, "second", 80), (3, "second", 80), (4, "kept", 1)], "numbers": [256, 7]}}]
