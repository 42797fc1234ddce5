"""A program for the kernel's list of tasks: called for each, skipped at the end."""

import purebpf as bpf
from purebpf import Global, u64

tasks = Global[u64](0)
threads = Global[u64](0)


@bpf.iter("task")
def on_task(ctx, task):
    tasks.value += 1
    if task.pid != task.tgid:
        threads.value += 1
    return 0


JUDGES = ["kernel"]
CASES = []
