"""Every task, by an iterator program and in a loop of one's own."""

from typing import Any

import purebpf as bpf
from purebpf import Global, Ptr, u64
from purebpf.kernel import task_struct

tasks = Global[u64](0)
total = Global[u64](0)


@bpf.iter("task")
def show(ctx: Any, task: Ptr[task_struct] | None) -> int:
    if task is not None:
        tasks.value += 1
    return 0


@bpf.syscall
def count(ctx: Any) -> int:
    for i in bpf.iter.num(0, 5):
        total.value += i
    with bpf.rcu():
        for task in bpf.iter.task():
            if task.tgid:
                tasks.value += 1
    return 0


JUDGES = ["kernel"]
