"""A task that an entry owns: changed for another, read in place, taken out again."""

import os

import purebpf as bpf
from purebpf import Global, HashMap, Kptr, i32, u32
from purebpf.kernel import task_struct
from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release


@bpf.struct
class Slot:
    changes: u32
    task: Kptr[task_struct]


slots = HashMap[u32, Slot](max_entries=4)
wanted = Global[i32](0)
seen = Global[i32](0)


@bpf.syscall
def keep(ctx):
    slot = slots.setdefault(1)
    new = bpf_task_from_pid(wanted.value)
    if new is None:
        return 1
    old = slot.task.swap(new)
    slot.changes += 1
    if old is not None:
        bpf_task_release(old)
        return 2
    return 0


@bpf.syscall
def look(ctx):
    slot = slots.setdefault(2)
    new = bpf_task_from_pid(wanted.value)
    if new is None:
        return 1
    with slot.task.swap(new):
        return 2  # nothing was there
    with bpf.rcu():
        task = slot.task
        if task is not None:
            seen.value = task.tgid
    with slot.task.swap(None) as taken:
        seen.value += taken.tgid
    return 0


CASES = [
    {"run": "keep", "set": {"wanted": os.getpid()}, "retval": 0},
    {"run": "keep", "times": 3, "set": {"wanted": os.getpid()}, "retval": 2, "maps_after": {"slots": {1: {"changes": 3}}}},
    {"run": "look", "set": {"wanted": os.getpid()}, "retval": 0, "globals_after": {"seen": 2 * os.getpid()}},
]
JUDGES = ["kernel"]
