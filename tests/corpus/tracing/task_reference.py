"""A task by its pid: acquired, used and given back by `with`, or by hand."""

import os

import purebpf as bpf
from purebpf import Global, i32
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release

wanted = Global[i32](0)
parent = Global[i32](0)
missing = Global[i32](0)


@bpf.syscall
def look(ctx):
    with bpf_task_from_pid(wanted.value) as t:
        parent.value = t.real_parent.tgid
    other = bpf_task_from_pid(0x3FFFFFFF)
    if other is None:
        missing.value = 1
    else:
        bpf_task_release(other)
    return 0


JUDGES = ["kernel"]
CASES = [{"set": {"wanted": os.getpid()}, "globals_after": {"parent": os.getppid(), "missing": 1}}]
