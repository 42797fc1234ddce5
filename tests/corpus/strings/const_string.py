"""A name to look for, set when loading."""

import purebpf as bpf
from purebpf import Const, Global, char

wanted = Const[char[16]]("bash")
name = Global[char[16]]()


@bpf.xdp
def prog(ctx):
    if name == wanted:
        return 1
    if name.startswith("k"):
        return 2
    return 0


CASES = [
    {"set": {"name": "bash"}, "retval": 1},
    {"set": {"name": "zsh"}, "retval": 0},
    {"set": {"name": "kworker"}, "constants": {"wanted": "zsh"}, "retval": 2},
    {"set": {"name": "zsh"}, "constants": {"wanted": "zsh"}, "retval": 1},
]
