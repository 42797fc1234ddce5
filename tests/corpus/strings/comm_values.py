"""The name of the process as a value: compared, stored, a key, in a list."""

import purebpf as bpf
from purebpf import Global, HashMap, char, u32, u64

by_name = HashMap[char[16], u64](max_entries=64)
interesting = Global[u32](0)


@bpf.struct
class Last:
    comm: char[16]
    first: char[4]


last = Global[Last]()


@bpf.xdp
def prog(ctx):
    comm = bpf.current_comm()
    by_name[comm] += 1
    if comm in ("nginx", "sshd"):
        interesting.value += 1
    if bpf.current_comm() != "" and comm == last.comm:
        interesting.value += 100
    last.comm = comm
    last.first = comm[:3]
    return len(comm) > 0


CASES = [{"times": 2, "retval": 1, "globals_after": {"interesting": 100},
          "maps_after": {"by_name": {lambda name: len(name) > 0: 2}}}]
