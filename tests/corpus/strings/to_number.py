"""The number in a string, and single characters."""

import purebpf as bpf
from purebpf import Global, char, i64

text = Global[char[16]]()
total = Global[i64](0)


@bpf.xdp
def prog(ctx):
    digits = 0
    for c in text:
        if "0" <= c <= "9":
            digits += 1
    total.value = int(text)
    return digits


CASES = [
    {"set": {"text": "1234"}, "retval": 4, "globals_after": {"total": 1234}},
    {"set": {"text": "-56"}, "retval": 2, "globals_after": {"total": -56}},
]
