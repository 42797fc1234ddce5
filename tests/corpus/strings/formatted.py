"""A message put together in the kernel: `f"…"` into a field, cut to fit."""

import purebpf as bpf
from purebpf import Global, char


@bpf.struct
class Message:
    text: char[16]
    short: char[6]


m = Global[Message]()


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    m.text = f"n={n} x={n * 2:x}"
    m.short = f"{n:4d}:{n}"
    return len(m.text)


CASES = [{"data": bytes([10]) + bytes(63), "retval": 9, "globals_after": {"m": {"text": "n=10 x=14"}}}]
