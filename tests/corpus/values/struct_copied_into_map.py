"""A struct put into a map, an array or a field is copied: the local goes its own way."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, u32


@bpf.struct
class Hop:
    addr: u32
    ttl: u32


@bpf.struct
class Route:
    hops: Array[Hop, Literal[3]]
    first: Hop


routes = HashMap[u32, Hop](max_entries=4)
best = Global[Route]()


@bpf.xdp
def prog(ctx):
    hop = Hop(addr=1, ttl=64)
    routes[1] = hop
    hop.ttl -= 1
    best.hops[0] = hop
    best.first = hop
    hop.ttl -= 1
    best.hops[2] = hop
    hop.addr = 9
    return routes[1].ttl * 10000 + best.hops[0].ttl * 100 + best.first.ttl


CASES = [{"retval": 646363, "maps_after": {"routes": {1: (1, 64)}},
          "globals_after": {"best": {"hops": [(1, 63), (0, 0), (1, 62)], "first": (1, 63)}}}]
