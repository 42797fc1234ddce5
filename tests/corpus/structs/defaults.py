"""Default values of fields hold in programs too."""

import purebpf as bpf
from purebpf import HashMap, u16, u32


@bpf.struct
class Policy:
    action: u32 = 2
    burst: u16 = 500
    used: u32


policies = HashMap[u32, Policy](max_entries=4)


@bpf.xdp
def prog(ctx):
    policies[1] = Policy()
    policies[2] = Policy(burst=7)
    p = Policy(used=3)
    return p.action * 1000 + p.burst + p.used


CASES = [{"retval": 2503, "maps_after": {"policies": {1: (2, 500, 0), 2: (2, 7, 0)}}}]
