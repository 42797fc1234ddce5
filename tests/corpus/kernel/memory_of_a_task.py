"""The memory areas of a task, added up: an iterator over an object that was acquired."""

import os

import purebpf as bpf
from purebpf import Global, i32, u64
from purebpf.kernel.kfuncs import bpf_task_from_pid

who = Global[i32](0)
total = Global[u64](0)
areas = Global[u64](0)


@bpf.syscall
def sizes(ctx):
    with bpf_task_from_pid(who.value) as task:
        for vma in bpf.iter.task_vma(task):
            if vma.vm_end <= vma.vm_start:
                return 1
            total.value += vma.vm_end - vma.vm_start
            areas.value += 1
    return 0


JUDGES = ["kernel"]
CASES = [{"set": {"who": os.getpid()}, "retval": 0, "globals_after": {"areas": lambda n: n > 10, "total": lambda n: n > 1 << 20}}]
