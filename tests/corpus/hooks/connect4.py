"""Connections to one port go to another: a field in network order is its number."""

import purebpf as bpf
from purebpf import Global, u32

moved = Global[u32](0)


@bpf.cgroup_connect4
def redirect(ctx):
    if ctx.user_port == 80:
        ctx.user_port = 8080
        moved.value += 1
    if ctx.user_ip4 == 0x7F000001:
        return 1
    return 0 if ctx.user_ip4 >> 24 == 10 else 1


CASES = []
