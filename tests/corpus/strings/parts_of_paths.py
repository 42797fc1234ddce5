"""Base names, extensions, words: find and rfind with bounds, negative bounds, pieces known at run time; of bytes too."""

import purebpf as bpf
from purebpf import Global, char, u8


@bpf.struct
class Parts:
    path: char[40]
    needle: char[8]
    base: char[16]
    ext: char[8]
    last: char[4]
    rest: char[40]
    raw: u8[8]
    found: char[8]


p = Global[Parts]()


def extension(name):
    dot = name.rfind(".")
    if dot < 0:
        return name[:0]
    return name[dot + 1:]


@bpf.xdp
def prog(ctx):
    skip = ctx.packet[0]
    p.base = p.path[p.path.rfind("/") + 1:]
    p.ext = extension(p.base)
    p.last = p.path[-3:]
    p.rest = p.path[skip:-2]
    n = 0
    at = p.path.find("/")
    for _ in range(6):
        if at < 0:
            break
        n += 1
        at = p.path.find("/", at + 1)
    p.found = p.path[p.path.find(p.needle):][:4] if p.path.find(p.needle) >= 0 else "none"
    raw = ctx.packet.bytes(0, 16)
    if raw is None:
        return 100
    p.raw = raw[skip & 7:(skip & 7) + 8]
    zero = raw.find(0, 2)
    return n * 10 + (p.path.find("bin") == 5) + 2 * (p.path.find("bin", 6) < 0) + 4 * (zero == 2) + (raw.find(b"ab") == 8) * 8


FRAME = b"\3" + bytes(7) + b"abcdefgh" + bytes(48)
EMPTY = {"base": "", "ext": "", "last": "", "rest": "", "raw": bytes(8), "found": ""}
CASES = [
    {"data": FRAME, "set": {"p": {**EMPTY, "path": "/usr/bin/python3.11", "needle": "bin"}}, "retval": 30 + 1 + 2 + 4 + 8,
     "globals_after": {"p": {"base": "python3.11", "ext": "11", "last": ".11", "rest": "r/bin/python3.", "raw": tuple(b"\0\0\0\0\0abc"),
                             "found": "bin/"}}},
    {"data": FRAME, "set": {"p": {**EMPTY, "path": "ab", "needle": "x"}}, "retval": 2 + 4 + 8,
     "globals_after": {"p": {"base": "ab", "ext": "", "last": "ab", "rest": "", "found": "none"}}},
    {"data": bytes(64), "set": {"p": {**EMPTY, "path": "a" * 40, "needle": "aab"}}, "retval": 6,
     "globals_after": {"p": {"base": "a" * 16, "ext": "", "last": "aaa", "rest": "a" * 38, "found": "none"}}},
]
