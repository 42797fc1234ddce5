"""Bubble sort of structs in an array: neighbours are swapped whole."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, u32


@bpf.struct
class Entry:
    score: u32
    pid: u32


@bpf.struct
class Top:
    e: Array[Entry, Literal[4]]


top = Global[Top]()


@bpf.xdp
def sort(ctx):
    for i in range(3):
        for j in range(3 - i):
            if top.e[j].score < top.e[j + 1].score:
                top.e[j], top.e[j + 1] = top.e[j + 1], top.e[j]
    return 2


def entries(*pairs):
    return {"e": [{"score": s, "pid": p} for s, p in pairs]}


CASES = [
    {"set": {"top": entries((1, 10), (4, 40), (2, 20), (3, 30))}, "retval": 2,
     "globals_after": {"top": entries((4, 40), (3, 30), (2, 20), (1, 10))}},
]
