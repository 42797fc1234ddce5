"""Parts of strings and of bytes, by constants and by a number found at run time."""

import purebpf as bpf
from purebpf import Global, char


@bpf.struct
class Path:
    full: char[32]
    head: char[8]
    tail: char[16]


p = Global[Path]()


@bpf.xdp
def prog(ctx):
    p.head = p.full[:5]
    if p.full[0] == "/" and p.full[1:5] == "proc":
        cut = p.full.find("/", 1)
        if cut > 0:
            p.tail = p.full[cut + 1:cut + 9]
            return cut
    return 0


CASES = [
    {"set": {"p": {"full": "/proc/4242/status", "head": "", "tail": "old"}}, "retval": 5,
     "globals_after": {"p": {"head": "/proc", "tail": "4242/sta"}}},
    {"set": {"p": {"full": "/proc", "head": "", "tail": "old"}}, "retval": 0,
     "globals_after": {"p": {"head": "/proc", "tail": "old"}}},
    {"set": {"p": {"full": "/x", "head": "garbage", "tail": ""}}, "retval": 0, "globals_after": {"p": {"head": "/x"}}},
]
