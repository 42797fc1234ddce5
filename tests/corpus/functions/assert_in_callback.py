"""An assert in a callback ends the whole program."""

import purebpf as bpf
from purebpf import Global, u32

reached = Global[u32](0)


@bpf.xdp
def prog(ctx):
    bad = ctx.packet[0]

    def visit(i):
        assert i != bad
        reached.value += 1

    bpf.loop(5, visit)
    reached.value += 100
    return 2


CASES = [
    {"data": bytes([9]) + bytes(63), "retval": 2, "globals_after": {"reached": 105}},
    {"data": bytes([2]) + bytes(63), "retval": 0, "globals_after": {"reached": 2}},
]
