"""Kernel functions declared with their types; a plain function that gives an object away, and one that takes it."""

import os

import purebpf as bpf
from purebpf import Global, Ptr, i32
from purebpf.kernel import task_struct


@bpf.kfunc
def bpf_task_from_pid(pid: i32) -> Ptr[task_struct] | None: ...


@bpf.kfunc
def bpf_task_release(p: Ptr[task_struct]) -> None: ...


who = Global[i32](0)
pid = Global[i32](0)


def find(number):
    return bpf_task_from_pid(number)


def drop(task):
    bpf_task_release(task)


@bpf.syscall
def look(ctx):
    task = find(who.value)
    if task is None:
        return 1
    pid.value = task.pid
    drop(task)
    return 0


JUDGES = ["kernel"]
CASES = [{"set": {"who": os.getpid()}, "retval": 0, "globals_after": {"pid": os.getpid()}}]
