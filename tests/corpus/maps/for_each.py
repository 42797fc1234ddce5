"""`m.for_each(visit)` with a function that stops."""

import purebpf as bpf
from purebpf import Array, u64

scores = Array[u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    visited = 0
    best = 0

    def visit(k, v):
        nonlocal visited, best
        visited += 1
        best = max(best, v.value)
        return v.value == 0

    scores.for_each(visit)
    return best * 10 + (visited == 4)


CASES = [{"maps": {"scores": {0: 5, 1: 9, 2: 7}}, "retval": 91}]
