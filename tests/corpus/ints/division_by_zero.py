"""Dividing by zero follows BPF: 0, and the dividend."""

import purebpf as bpf
from purebpf import Global, i64, u64

quotient = Global[u64](7)
rest = Global[u64](7)
signed = Global[i64](7)


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    d = ctx.packet[1]
    quotient.value = n // d
    rest.value = n % d
    signed.value = (n - 100) // (d - 5)
    return 2


CASES = [
    {"data": bytes([77, 0]) + bytes(62), "retval": 2, "globals_after": {"quotient": 0, "rest": 77, "signed": 4}},
    {"data": bytes([77, 5]) + bytes(62), "retval": 2, "globals_after": {"quotient": 15, "rest": 2, "signed": 0}},
]
