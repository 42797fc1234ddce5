"""A queue and a stack of structs and of numbers."""

import purebpf as bpf
from purebpf import Queue, Stack, u32


@bpf.struct
class Job:
    id: u32
    cost: u32


jobs = Queue[Job](max_entries=4)
free = Stack[u32](max_entries=4)


@bpf.xdp
def prog(ctx):
    jobs.push(Job(id=1, cost=10))
    jobs.push(Job(id=2, cost=20))
    free.push(7)
    free.push(8)
    first = jobs.pop()
    top = free.peek()
    if first is None or top is None:
        return 0
    jobs.push(first)
    return first.cost * 100 + top


CASES = [
    {"retval": 1008, "maps_after": {"jobs": [(2, 20), (1, 10)], "free": [8, 7]}},
    {"maps": {"jobs": [{"id": 9, "cost": 3}]}, "retval": 308, "maps_after": {"jobs": [(1, 10), (2, 20), (9, 3)]}},
]
