"""A helper inside the program that reads and writes the program's variables."""

import purebpf as bpf


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    score = 0

    def check(offset, wanted, weight):
        nonlocal score
        if pkt[offset] == wanted:
            score += weight

    check(0, 1, 5)
    check(1, 2, 50)
    check(2, 3, 500)
    return score


CASES = [
    {"data": b"\1\2\3" + bytes(61), "retval": 555},
    {"data": b"\1\0\3" + bytes(61), "retval": 505},
]
