"""Entries that end by themselves: a timer in each, started anew by what arrives, and once more by itself."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64


@bpf.struct
class Session:
    packets: u64
    timer: bpf.Timer
    rests: u64


sessions = HashMap[u32, Session](max_entries=8)
ended = Global[u32](0)


def rest(session):
    session.timer.start(1_000_000, over)


def over(key, session):
    assert key != 3
    session.rests += 1
    if session.rests < 3:
        rest(session)
    else:
        ended.value += key
        del sessions[key]


@bpf.tc
def seen(ctx):
    key = ctx.packet[0]
    session = sessions.lookup(key)
    if session is None:
        sessions[key] = Session()
        session = sessions.lookup(key)
        if session is None:
            return 1
    session.packets += 1
    rest(session)
    return 0


@bpf.tc
def stopped(ctx):
    for i in range(2):
        sessions[i] = Session()
        session = sessions.lookup(i)
        if session is None or session.timer.start(60_000_000_000, lambda k, v: None, pinned=True) != 0 or session.timer.cancel() != 1:
            return 1
        if session.timer.cancel() != 0 or session.timer.start(1000) == 0:
            return 2  # a timer that was cancelled has no callback
        if session.timer.start(bpf.ktime_ns() + 60_000_000_000, lambda k, v: None, absolute=True) != 0 or session.timer.start(1000) != 0:
            return 3
    return 0


CASES = [
    {"data": b"\5" + bytes(63), "retval": 0, "later": True, "maps_after": {"sessions": {}}, "globals_after": {"ended": 5}},
    {"data": b"\3" + bytes(63), "retval": 0, "later": True, "maps_after": {"sessions": {3: {"packets": 1, "rests": 0}}}},
    {"run": "stopped", "retval": 0},
]
JUDGES = ["kernel"]
