"""Events of two kinds in one buffer, told apart by their first field."""

from enum import IntEnum

import purebpf as bpf
from purebpf import RingBuf, char, u32, u64


class Kind(IntEnum):
    OPEN = 1
    EXIT = 2


@bpf.struct
class OpenData:
    flags: u32
    name: char[12]


@bpf.struct
class ExitData:
    code: u32
    time: u64


@bpf.union
class Data:
    open: OpenData
    exit: ExitData


@bpf.struct
class Event:
    kind: Kind
    data: Data


events = RingBuf[Event](max_entries=4096)


@bpf.xdp
def prog(ctx):
    with events.reserve() as e:
        if ctx.packet[0]:
            e.kind = Kind.OPEN
            e.data.open.flags = 5
            e.data.open.name = "passwd"
        else:
            e.kind = Kind.EXIT
            e.data.exit = ExitData(code=1, time=99)
    return 2


CASES = [
    {"data": b"\1" + bytes(63), "retval": 2, "records": {"events": [
        lambda e: e.kind == 1 and (e.data.open.flags, e.data.open.name) == (5, "passwd")]}},
    {"retval": 2, "records": {"events": [lambda e: e.kind == 2 and (e.data.exit.code, e.data.exit.time) == (1, 99)]}},
]
