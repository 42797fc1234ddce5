"""Names compared: equal, ordered, a member of a tuple, beginning and ending, longer fields with shorter ones."""

import purebpf as bpf
from purebpf import Global, char


@bpf.struct
class Names:
    a: char[16]
    b: char[8]


n = Global[Names]()


@bpf.xdp
def prog(ctx):
    score = 0
    if n.a == n.b:
        score += 1
    if n.a < "m":
        score += 10
    if n.a in ("bash", "zsh", "fish"):
        score += 100
    if n.a.startswith("ba"):
        score += 1000
    if n.a.endswith("sh"):
        score += 10000
    if "as" in n.a:
        score += 100000
    return score


CASES = [
    {"set": {"n": {"a": "bash", "b": "bash"}}, "retval": 111111},
    {"set": {"n": {"a": "zsh", "b": "bash"}}, "retval": 10100},
    {"set": {"n": {"a": "basename", "b": "base"}}, "retval": 101010},
    {"set": {"n": {"a": "", "b": ""}}, "retval": 11},
    {"set": {"n": {"a": "sixteen-bytes-ab", "b": "sixteen-"}}, "retval": 0},
]
