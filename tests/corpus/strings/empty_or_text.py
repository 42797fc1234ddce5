"""Text on one path, an empty constant on the other: in an expression, a variable, a result."""

import purebpf as bpf
from purebpf import Global, char, u32


@bpf.struct
class Named:
    name: char[8]
    other: char[8]


n = Global[Named]()
size = Global[u32](0)


def shown(k):
    if k > 2:
        return ""
    return n.name


@bpf.xdp
def prog(ctx):
    n.name = "eth0"
    k = len(ctx.packet) & 3
    n.other = n.name if k else ""
    size.value = len(n.other)
    word = n.name
    if k < 2:
        word = ""
    size.value += 10 * len(word)
    n.other = shown(k)
    return len(n.other) * 100 + size.value


CASES = [{"data": bytes(64), "retval": 400}, {"data": bytes(65), "retval": 404}, {"data": bytes(66), "retval": 444},
         {"data": bytes(67), "retval": 44, "globals_after": {"n": {"other": ""}}}]
