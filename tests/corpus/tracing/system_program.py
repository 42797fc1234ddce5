"""A program that is run by hand with a struct: reads its input, writes its output."""

import purebpf as bpf
from purebpf import i64, u32


@bpf.struct
class Request:
    a: i64
    b: u32
    op: u32
    result: i64


@bpf.syscall
def calculate(ctx: Request):
    match ctx.op:
        case 0:
            ctx.result = ctx.a + ctx.b
        case 1:
            ctx.result = ctx.a * ctx.b
        case 2:
            ctx.result = ctx.a // ctx.b
        case _:
            return -1
    return 0


def request(a, b, op, order="little"):
    return a.to_bytes(8, order, signed=True) + b.to_bytes(4, order) + op.to_bytes(4, order) + bytes(8)


CASES = [
    {"ctx": request(-7, 2, 2), "retval": 0, "ctx_after": {"result": -4}, "big": {"ctx": request(-7, 2, 2, "big")}},
    {"ctx": request(-7, 2, 0), "retval": 0, "ctx_after": {"result": -5}, "big": {"ctx": request(-7, 2, 0, "big")}},
    {"ctx": request(1, 2, 9), "retval": -1, "big": {"ctx": request(1, 2, 9, "big")}},
]
