"""Fields of the socket buffer: read, written, in network order where the kernel has it so."""

import purebpf as bpf
from purebpf.net import ETH_IP


@bpf.tc
def prog(ctx):
    if ctx.protocol != ETH_IP:
        return 1
    ctx.mark = ctx.mark + 5
    ctx.priority = 7
    ctx.cb[1] = ctx.len
    return ctx.cb[1] + ctx.mark


CASES = [
    {"data": bytes(12) + b"\x08\0" + bytes(50), "ctx": {"mark": 10}, "retval": 79, "ctx_after": {"mark": 15, "priority": 7}},
    {"data": bytes(12) + b"\x86\xdd" + bytes(50), "retval": 1},
]
