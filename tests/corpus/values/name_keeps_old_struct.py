"""A name bound to what is then replaced keeps the old contents."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, u32


@bpf.struct
class Slot:
    key: u32
    hits: u32


table = Global[Array[Slot, Literal[2]]]()
evicted = Global[u32](0)


@bpf.xdp
def evict(ctx):
    old = table[0]
    table[0] = Slot(key=5, hits=1)
    evicted.value = old.key * 1000 + old.hits
    return table[0].hits


CASES = [{"set": {"table": [{"key": 3, "hits": 44}, {"key": 4, "hits": 2}]}, "retval": 1,
          "globals_after": {"evicted": 3044, "table": [(5, 1), (4, 2)]}}]
