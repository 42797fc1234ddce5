"""Two names for one struct, one for a copy; a field read before and after."""

import purebpf as bpf
from purebpf import Global, HashMap, u16, u32


@bpf.struct
class Conf:
    level: u32
    ports: u16[4]


conf = Global[Conf]()
saved = HashMap[u32, Conf](max_entries=4)


@bpf.xdp
def prog(ctx):
    a = conf
    b = a
    b.level = 5
    before = a.level
    ports = b.ports
    saved[1] = a
    a.ports[1] = 80
    a.level += before
    old = saved.get(1)
    if old is None:
        return 0
    return conf.level * 1000 + ports[1] * 10 + old.ports[1] + old.level


CASES = [{"retval": 10805, "globals_after": {"conf": (10, [0, 80, 0, 0])}, "maps_after": {"saved": {1: (5, [0, 0, 0, 0])}}}]
