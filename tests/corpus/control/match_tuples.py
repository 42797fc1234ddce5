"""match on tuples and on a struct's fields."""

import purebpf as bpf
from purebpf import Global, i64, u8, u16, u32


def step(state: u32, flag: u32) -> i64:
    match state, flag:
        case 0, 2:
            return 1
        case 1, 18 | 16:
            return 2
        case (2, f) if f & 1:
            return 3
        case _, 4:
            return 0
        case s, _:
            return s


@bpf.struct
class Header:
    kind: u8
    code: u8
    port: u16


h = Global[Header]()


@bpf.xdp
def prog(ctx):
    match h:
        case Header(kind=1, code=0):
            return 1
        case Header(kind=1, code=c):
            return 100 + c
        case Header(port=53):
            return 53
    return 0


CALLS = {
    "step(0, 2)": 1, "step(1, 18)": 2, "step(1, 16)": 2, "step(2, 5)": 3, "step(2, 4)": 0, "step(7, 4)": 0, "step(7, 9)": 7,
}
CASES = [
    {"run": "prog", "set": {"h": {"kind": 1, "code": 0, "port": 53}}, "retval": 1},
    {"run": "prog", "set": {"h": {"kind": 1, "code": 7, "port": 53}}, "retval": 107},
    {"run": "prog", "set": {"h": {"kind": 2, "code": 7, "port": 53}}, "retval": 53},
    {"run": "prog", "set": {"h": {"kind": 2, "code": 7, "port": 54}}, "retval": 0},
]
