"""A chain of kernel fields, with a question first: what this kernel has."""

import os

import purebpf as bpf
from purebpf import Global, i32, u32, u64
from purebpf.kernel import task_struct

ME = os.getpid()
parent = Global[i32](0)
flags = Global[u32](0)
start = Global[u64](0)


@bpf.tracepoint("syscalls:sys_enter_getppid")
def on_getppid(ctx):
    task = bpf.current_task(task_struct)
    if task.tgid != ME:
        return
    parent.value = task.real_parent.tgid
    if bpf.field_exists(task_struct, "start_boottime"):
        start.value = task.start_boottime
    flags.value = task.flags | 1
    if not bpf.type_exists("no_such_struct"):
        flags.value |= 2


CASES = [{"trigger": "getpid", "globals_after": {"flags": lambda n: n & 3 in (0, 3)}}]
