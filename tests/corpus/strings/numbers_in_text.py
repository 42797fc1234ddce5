"""Numbers in text: blanks, signs, other bases, pieces; what is no number ends the program; isdigit tells before."""

import purebpf as bpf
from purebpf import Array, Global, char, i64

words = Array[char[24]](max_entries=4)
first = Global[i64](0)
sum_ = Global[i64](0)


def hexadecimal(text):
    return int(text, 16)


@bpf.xdp
def prog(ctx):
    if words[0] != "":
        first.value = int(words[0])
    for i in range(1, 3):
        w = words[i]
        if w.isdigit():
            sum_.value += int(w)
    if words[3].startswith("pid:"):
        sum_.value += int(words[3][4:])
    elif words[3] != "":
        sum_.value += hexadecimal(words[3])
    return int("2")


CASES = [
    {"maps": {"words": {0: "  +42 ", 1: "17", 2: "-3", 3: "pid:1000"}}, "retval": 2, "globals_after": {"first": 42, "sum_": 1017}},
    {"maps": {"words": {0: "-9223372036854775808", 1: "", 2: "000004", 3: "0xfF"}}, "retval": 2,
     "globals_after": {"first": -(1 << 63), "sum_": 259}},
    {"maps": {"words": {0: "12a"}}, "retval": 0, "globals_after": {"first": 0}},
    {"maps": {"words": {0: "-"}}, "retval": 0},
    {"maps": {"words": {0: "1 2"}}, "retval": 0},
    {"maps": {"words": {0: "--1"}}, "retval": 0},
    {"maps": {"words": {3: "0x"}}, "retval": 0},
    {"maps": {"words": {3: "-00ff"}}, "retval": 2, "globals_after": {"sum_": -255}},
]
