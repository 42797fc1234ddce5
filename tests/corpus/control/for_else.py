"""for with else, nested, leaving two loops through a function's return."""

import purebpf as bpf
from purebpf import Global, i64, u8, u32

board = Global[u8[9]]()


def first_free() -> i64:
    for i, cell in enumerate(board):
        if cell == 0:
            break
    else:
        return -1
    return i


def pair(total: u32) -> i64:
    for a in range(1, 10):
        for b in range(a, 10):
            if a * b == total:
                return a * 10 + b
    return 0


@bpf.xdp
def prog(ctx):
    return first_free() + 1


CALLS = {"pair(42)": 67, "pair(81)": 99, "pair(11)": 0}
CASES = [
    {"run": "prog", "set": {"board": b"\1\1\0\1\1\1\1\1\1"}, "retval": 3},
    {"run": "prog", "set": {"board": b"\1" * 9}, "retval": 0},
]
