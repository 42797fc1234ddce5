"""Two programs of one object over the same map."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

drops = HashMap[u32, u64](max_entries=8)


@bpf.xdp
def ingress(ctx):
    drops[1] += 1
    return 2


@bpf.tc("egress")
def egress(ctx):
    return drops.get(1, 0) + 5


CASES = [
    {"run": "ingress", "times": 3, "retval": 2, "maps_after": {"drops": {1: 3}}},
    {"run": "egress", "maps": {"drops": {1: 7}}, "retval": 12},
]
