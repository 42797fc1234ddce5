"""Sections that a program holds: RCU, no preemption; a task's field read under them."""

import purebpf as bpf
from purebpf import Global, i32
from purebpf.kernel import task_struct

tgid = Global[i32](0)
n = Global[i32](0)


@bpf.syscall
def prog(ctx):
    task = bpf.current_task(task_struct)
    with bpf.rcu():
        tgid.value = task.real_parent.tgid
    with bpf.preempt_off():
        n.value += 1
        if n.value > 5:
            return 1
    return 0


CASES = [{"retval": 0, "globals_after": {"n": 1}}]
