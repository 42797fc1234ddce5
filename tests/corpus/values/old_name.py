"""A string read before it is overwritten is what it was."""

import purebpf as bpf
from purebpf import Global, char, u32


@bpf.struct
class Process:
    pid: u32
    comm: char[16]


current = Global[Process]()
renamed = Global[u32](0)


@bpf.xdp
def prog(ctx):
    old = current.comm
    current.comm = "python3"
    if old == "bash" and current.comm == "python3":
        renamed.value += 1
    return len(old)


CASES = [
    {"set": {"current": {"pid": 1, "comm": "bash"}}, "retval": 4, "globals_after": {
        "renamed": 1, "current": {"comm": "python3"}}},
    {"set": {"current": {"pid": 1, "comm": "sh"}}, "retval": 2, "globals_after": {"renamed": 0}},
]
