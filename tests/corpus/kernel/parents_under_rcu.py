"""A parent read under RCU and acquired; a section left by return; interrupts and preemption off."""

import os

import purebpf as bpf
from purebpf import Global, i32
from purebpf.kernel.kfuncs import bpf_task_acquire, bpf_task_from_pid, bpf_task_release

who = Global[i32](0)
parent = Global[i32](0)
n = Global[i32](0)


@bpf.syscall
def look(ctx):
    task = bpf_task_from_pid(who.value)
    if task is None:
        return 1
    with bpf.rcu():
        with bpf_task_acquire(task.real_parent) as p:
            parent.value = p.tgid
    bpf_task_release(task)
    with bpf.irq_off():
        n.value += 1
    with bpf.preempt_off(), bpf.rcu():
        n.value += 1
        if n.value == 2:
            return 7
    return 0


JUDGES = ["kernel"]
CASES = [{"set": {"who": os.getpid()}, "retval": 7, "globals_after": {"parent": os.getppid(), "n": 2}}]
