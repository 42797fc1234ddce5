"""A raw tracepoint and a BTF tracepoint: arguments by position with their types, and by name."""

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, i32, u32, u64


@bpf.kernel_struct
class task_struct:
    pid: i32
    comm: char[16]
    real_parent: Ptr["task_struct"]


last = Global[u32](0)
names = HashMap[char[16], u64](max_entries=1024)


@bpf.raw_tracepoint("sys_enter")
def raw(regs: u64, id: u64):
    last.value = id


@bpf.tp_btf("sched_switch")
def typed(preempt, prev, next):
    if next.pid:
        names[next.comm] += 1
    if prev.real_parent and prev.real_parent.pid == 1:
        names["child"] += 1


CASES = [
    {"run": "raw", "ctx": (0, 257), "retval": 0, "globals_after": {"last": 257}},
    {"run": "typed", "trigger": "sleep", "ctx": (0, bytes(16384), bytes(16384))},
]
