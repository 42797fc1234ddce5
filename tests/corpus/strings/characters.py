"""A text is gone over by its characters, not by the room that it has; from its end, it is counted from its last one."""

import purebpf as bpf
from purebpf import Global, char, i32, u8

text = Global[char[16]]()
other = Global[char[8]]()
raw = Global[u8[8]]()
results = Global[i32[20]]()
back = Global[i32](1)


def count(s):
    n = 0
    for _ in s:
        n += 1
    return n


@bpf.syscall
def prog(ctx):
    s = text.value
    results[0] = count(s)
    n = 0
    for i, c in enumerate(s, 1):
        if c != "z":
            n = i
    results[1] = n
    results[2] = count(s[1:])
    results[3] = sum(1 for c in s)
    results[4] = all(c != "\0" for c in s)
    results[5] = any(c == "\0" for c in s)
    n = 0
    for a, b in zip(s, other.value):
        n += a == b
    results[6] = n
    n = 0
    for c in reversed(s):
        n = n * 3 + c - 96
    results[7] = n
    results[8] = count(raw.value)
    n = 0
    for c in s:
        if c == "l":
            break
        n += 1
    else:
        n = -1
    results[9] = n
    n = 0
    for a, b in zip(s, s[1:]):
        n += a == b
    results[10] = n
    return count(other.value)


@bpf.syscall
def last(ctx):
    s = text.value
    results[0] = s[-1]
    results[1] = s[-back.value]
    results[2] = s[-2:] == "lo"
    return 1


HELLO = [5, 5, 4, 5, 1, 0, 3, 1670, 8, 2, 1, *[0] * 9]
EMPTY = [0, 0, 0, 0, 1, 0, 0, 0, 8, -1, 0, *[0] * 9]
FULL = [16, 16, 15, 16, 1, 0, 1, 21523360, 8, -1, 15, *[0] * 9]
CASES = [
    {"set": {"text": "hello", "other": "help"}, "retval": 4, "globals_after": {"results": HELLO}},
    {"set": {"text": "", "other": "help"}, "retval": 4, "globals_after": {"results": EMPTY}},
    {"set": {"text": "a" * 16, "other": "abcdefgh"}, "retval": 8, "globals_after": {"results": FULL}},
    {"run": "last", "set": {"text": "hello", "back": 2}, "retval": 1, "globals_after": {"results": [111, 108, 1, *[0] * 17]}},
    {"run": "last", "set": {"text": "hello", "back": 5}, "retval": 1, "globals_after": {"results": [111, 104, 1, *[0] * 17]}},
    {"run": "last", "set": {"text": "hello", "back": 6}, "retval": 0, "globals_after": {"results": [111, *[0] * 19]}},
    {"run": "last", "set": {"text": ""}, "retval": 0, "globals_after": {"results": [0] * 20}},
    {"run": "last", "set": {"text": "a" * 15 + "b"}, "retval": 1, "globals_after": {"results": [98, 98, 0, *[0] * 17]}},
]
