"""Events whose strings stand at any offset, made whole in one line."""

import purebpf as bpf
from purebpf import HashMap, RingBuf, char, u8, u32


@bpf.struct
class Event:
    pid: u32
    comm: char[16]
    flag: u8
    note: char[5]


events = RingBuf[Event](max_entries=4096)
last = HashMap[u32, Event](max_entries=8)


@bpf.xdp
def prog(ctx):
    events.output(Event(7, bpf.current_comm(), 1, "made"))
    e = Event(pid=1, note="kept")
    e.comm = bpf.current_comm()
    last[1] = e
    e.comm = "other"
    last[2] = e
    return 2


CASES = [{"retval": 2, "records": {"events": [lambda e: e.pid == 7 and e.note == "made" and e.comm != ""]},
          "maps_after": {"last": {1: lambda e: e.note == "kept" and e.comm not in ("", "other"),
                                  2: (1, "other", 0, "kept")}}}]
