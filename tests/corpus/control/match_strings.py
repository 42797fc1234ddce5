"""match on a string and on bytes."""

import purebpf as bpf
from purebpf import Global, char

comm = Global[char[16]]()


@bpf.xdp
def prog(ctx):
    match comm:
        case "bash" | "zsh":
            kind = 1
        case "sshd":
            kind = 2
        case _:
            kind = 3
    match ctx.packet.bytes(0, 2):
        case b"\x08\x00":
            return kind + 10
        case b"\x86\xdd":
            return kind + 20
    return kind


CASES = [
    {"set": {"comm": "zsh"}, "data": b"\x08\0" + bytes(62), "retval": 11},
    {"set": {"comm": "sshd"}, "data": b"\x86\xdd" + bytes(62), "retval": 22},
    {"set": {"comm": "sshd2"}, "data": b"\x08\x06" + bytes(62), "retval": 3},
]
