"""How long a system call takes: start kept by thread, taken out at the end, put into a histogram."""

import os

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64

started = HashMap[u32, u64](max_entries=1024)
slots = Global[u64[32]]()
ME = os.getpid()


@bpf.tracepoint("syscalls:sys_enter_write")
def enter(ctx):
    if bpf.current_pid() == ME and ctx.count > 0:
        started[bpf.current_tid()] = bpf.ktime_ns()


@bpf.tracepoint("syscalls:sys_exit_write")
def leave(ctx):
    tid = bpf.current_tid()
    start = started.get(tid)
    if start is None or ctx.ret < 0:
        return
    us = (bpf.ktime_ns() - start) // 1000
    slots[min(us.bit_length(), 31)] += 1
    del started[tid]


CASES = [
    {"run": "enter", "trigger": "write", "ctx": {"count": 5}, "maps_after": {
        "started": lambda got: all(when > 0 for _, when in got)}},
    {"run": "leave", "trigger": "write", "ctx": {"ret": 5}, "globals_after": {"slots": lambda got: sum(got) == 0}},
]
