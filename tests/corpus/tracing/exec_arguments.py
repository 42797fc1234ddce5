"""The first arguments of execve: an array of pointers to strings in user space."""

import purebpf as bpf
from purebpf import RingBuf, char, u32


@bpf.struct
class Args:
    count: u32
    first: char[32]
    second: char[32]


seen = RingBuf[Args](max_entries=65536)


@bpf.tracepoint("syscalls:sys_enter_execve")
def on_execve(ctx):
    with seen.reserve() as e:
        for i in range(8):
            if not ctx.argv[i]:
                break
            e.count += 1
        e.first = ctx.argv[0]
        e.second = ctx.argv[1]


CASES = [{"trigger": "exec", "records": {
    "seen": lambda got: any((e.count, e.first, e.second) == (3, "true", "first") or e.count == 0 for e in got)}}]
