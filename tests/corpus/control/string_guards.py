"""A small parser: the method of an HTTP request by its bytes, numbers read from text."""

import purebpf as bpf


def digit(c):
    return c - 48 if 48 <= c <= 57 else None


@bpf.xdp
def http(ctx):
    pkt = ctx.packet
    match pkt.bytes(0, 3):
        case b"GET":
            at = 4
        case b"PUT":
            at = 14
        case _:
            return 1
    value = 0
    for i in range(5):
        d = digit(pkt[at + i])
        if d is None:
            break
        value = value * 10 + d
    return value


CASES = [
    {"data": b"GET 8080 HTTP/1.1 and more".ljust(64), "retval": 8080},
    {"data": b"PUT /something 42/".ljust(64), "retval": 1},
    {"data": b"PUT /something42/".ljust(64), "retval": 42},
    {"data": b"HEAD 1".ljust(64), "retval": 1},
]
