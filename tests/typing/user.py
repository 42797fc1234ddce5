"""A user's typed program: passes mypy in its default mode, except on the lines that say which error they must be."""

from __future__ import annotations

from typing import Any, Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, Ptr, RingBuf, char, u8, u32, u64


@bpf.struct
class Event:
    pid: u32
    comm: Array[char, Literal[16]]


calls = HashMap[u32, u64](max_entries=16)
events = RingBuf[Event](max_entries=4096)
table = HashMap[u32, Event](max_entries=16)
total = Global[u64](0)


def double(x: u32) -> u64:
    return x * 2


@bpf.tracepoint("sched:sched_switch")
def program(ctx: Any) -> int:
    n: u64 = 0
    n += double(3) & 0xFF
    e = table.lookup(1)
    e.pid = 2  # error: union-attr
    if e is not None:
        e.pid = 3
    calls[1] += n
    total.value += 1
    calls["name"] = 1  # error: index
    with events.reserve() as record:
        record.pid = bpf.current_pid()
        record.pdi = 1  # error: attr-defined
    return "text"  # error: return-value


def at_home() -> None:
    u8(300).bit_length()
    _pointer: Ptr[Event]  # noqa: F842 - only its annotation matters
    with bpf.load(program) as k:
        for pid, count in k[calls].items():
            print(pid + count)
        k[calls]["name"]  # error: index
        k[total].value += "1"  # error: operator
        for event in k[events].events(timeout=1):
            event.pid + 1
            event.nothing  # error: attr-defined
        k[program].test_run(b"").retval + 1
    program.simulate(b"").retval + 1
