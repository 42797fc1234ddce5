"""Loops over bytes and text that count, remember and decide: what they find is asserted in the programs."""

import purebpf as bpf
from purebpf import Global, char, u8

data = Global[u8[64]](bytes((i * 37 + 11) % 251 for i in range(64)))
few = Global[u8[8]]((9, 3, 7, 7, 1, 200, 0, 5))
line = Global[char[64]]("GET /index.html?q=a+b&x=%20y HTTP/1.1")
words = Global[char[48]]("the quick brown fox  jumps over it")

@bpf.syscall
def counters(ctx):
    small = medium = large = 0
    for b in data:
        if b < 50:
            small += 1
        elif b < 150:
            medium += 1
        else:
            large += 1
    assert small + medium + large == 64
    return 1

@bpf.syscall
def longest_run(ctx):
    best = run = 0
    for i in range(1, 64):
        if data[i] > data[i - 1]:
            run += 1
            if run > best:
                best = run
        else:
            run = 0
    assert best >= 1
    return 1

@bpf.syscall
def count_words(ctx):
    n = 0
    inside = False
    for c in words:
        if c == ord(" "):
            inside = False
        elif not inside:
            inside = True
            n += 1
    assert n == 7
    return 1

@bpf.syscall
def request(ctx):
    method_end = line.find(" ")
    path_end = line.find(" ", method_end + 1)
    assert method_end == 3 and path_end > 0
    path = line[method_end + 1:path_end]
    query = path.find("?")
    assert path[:query] == "/index.html"
    pairs = 0
    escapes = 0
    for c in path:
        if c == ord("&") or c == ord("?"):
            pairs += 1
        elif c == ord("%"):
            escapes += 1
    assert pairs == 2 and escapes == 1
    return 1

@bpf.syscall
def machine(ctx):
    state = 0
    comments = strings = 0
    for c in line:
        match state:
            case 0:
                if c == ord("/"):
                    state = 1
                elif c == ord("?"):
                    state = 2
            case 1:
                comments += 1
                state = 0
            case 2:
                if c == ord("&"):
                    strings += 1
                    state = 0
    assert comments == 2 and strings == 1
    return 1

@bpf.syscall
def sort(ctx):
    for i in range(7):
        for j in range(7 - i):
            if few[j] > few[j + 1]:
                few[j], few[j + 1] = few[j + 1], few[j]
    for i in range(7):
        assert few[i] <= few[i + 1]
    return 1

@bpf.syscall
def minmax(ctx):
    lo, hi, where, total = 255, 0, 0, 0
    for i, b in enumerate(data):
        if b < lo:
            lo = b
        if b > hi:
            hi, where = b, i
        total += b
    assert lo <= total // 64 <= hi and data[where] == hi
    return 1

@bpf.syscall
def votes(ctx):
    winner = count = 0
    for b in data:
        kind = b & 3
        if count == 0:
            winner, count = kind, 1
        elif kind == winner:
            count += 1
        else:
            count -= 1
    assert 0 <= winner <= 3
    return 1

@bpf.syscall
def hexdump(ctx):
    out = 0
    digits = 0
    for c in line:
        if ord("0") <= c <= ord("9"):
            digits = digits * 10 + (c - ord("0"))
        elif ord("a") <= c <= ord("f") or ord("A") <= c <= ord("F"):
            out += 1
        else:
            digits = 0
    return 1 if out > 2 else 0

@bpf.syscall
def primes(ctx):
    n = 0
    for i in range(2, 60):
        for j in range(2, 8):
            if i % j == 0:
                n += i == j
                break
        else:
            n += 1
    assert n == 17
    return 1

@bpf.syscall
def nested(ctx):
    found = 0
    for i in range(0, 60, 4):
        ones = 0
        for k in range(4):
            if data[i + k] & 1:
                ones += 1
        if ones >= 2:
            found += 1
    assert 0 < found <= 15
    return 1

CASES = [{"run": name, "retval": 1} for name in (
    "counters", "longest_run", "count_words", "request", "machine", "sort", "minmax", "votes", "hexdump", "primes", "nested",
)]
