"""Kernel fields that begin with underscores; a cast of an argument to a kernel pointer."""

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, i32, u32, u64


@bpf.kernel_struct
class task_struct:
    pid: i32
    __state: u32
    comm: char[16]


running = Global[u64](0)
names = HashMap[char[16], u64](max_entries=256)


@bpf.raw_tracepoint("sched_switch")
def on_switch(ctx):
    task = Ptr[task_struct](ctx.args[1])
    if task.__state == 0:
        running.value += 1
    if task.comm.startswith("python"):
        names[task.comm] += 1


@bpf.tracepoint("syscalls:sys_enter_getppid")
def on_getppid(ctx):
    task = bpf.current_task(task_struct)
    if task.__state == 0 and task.pid > 0:
        running.value += 100


CASES = [
    {"run": "on_switch", "trigger": "sleep", "ctx": (0, 0, 0, 0)},
    {"run": "on_getppid", "trigger": "getpid", "globals_after": {"running": lambda n: n >= 100}},
]
