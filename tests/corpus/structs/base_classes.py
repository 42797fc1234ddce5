"""A header that every event has: the base class's fields come first."""

import purebpf as bpf
from purebpf import RingBuf, char, u8, u32


@bpf.struct
class Header:
    kind: u32
    pid: u32


@bpf.struct
class Open(Header):
    flags: u32
    name: char[8]


@bpf.struct
class Exit(Header):
    code: u8


opens = RingBuf[Open](max_entries=4096)
exits = RingBuf[Exit](max_entries=4096)


@bpf.xdp
def prog(ctx):
    opens.output(Open(kind=1, pid=42, flags=0x241, name="a.txt"))
    exits.output(Exit(2, 42, 9))
    return bpf.sizeof(Open) * 100 + bpf.sizeof(Exit)


CASES = [{"retval": 2012, "records": {"opens": [(1, 42, 0x241, "a.txt")], "exits": [(2, 42, 9)]}}]
