"""prev and next change places, strings and all."""

import purebpf as bpf
from purebpf import Global, char, u32


@bpf.struct
class Switch:
    prev: char[16]
    next: char[16]
    prev_pid: u32
    next_pid: u32


s = Global[Switch]()


@bpf.xdp
def prog(ctx):
    s.prev, s.next = s.next, s.prev
    s.prev_pid, s.next_pid = s.next_pid, s.prev_pid
    return 2


CASES = [{"set": {"s": {"prev": "swapper", "next": "kworker/0:1", "prev_pid": 0, "next_pid": 77}}, "retval": 2,
          "globals_after": {"s": ("kworker/0:1", "swapper", 77, 0)}}]
