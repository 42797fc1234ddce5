"""The kernel's iterators in a for loop: numbers, and the tasks."""

import os

import purebpf as bpf
from purebpf import Global, u32, u64

total = Global[u64](0)
found = Global[u32](0)
ME = os.getpid()


@bpf.syscall
def walk(ctx):
    for i in bpf.iter.num(3, 8):
        if i == 6:
            continue
        total.value += i
    for task in bpf.iter.task():
        if task.pid == ME:
            found.value += 1
    return 0


JUDGES = ["kernel"]
CASES = [{"globals_after": {"total": 3 + 4 + 5 + 7}}]
