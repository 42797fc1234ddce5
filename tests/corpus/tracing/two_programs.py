"""System calls in and out, matched by thread; a failed call is counted by its error."""

import os

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64

ME = os.getpid()
ENOENT = 2
inside = HashMap[u32, u64](max_entries=1024)
errors = HashMap[u32, u64](max_entries=64)
calls = Global[u64](0)


@bpf.tracepoint("syscalls:sys_enter_kill")
def enter(ctx):
    if bpf.current_pid() != ME or ctx.sig != 0:
        return
    inside[bpf.current_tid()] = ctx.pid
    calls.value += 1


@bpf.tracepoint("syscalls:sys_exit_kill")
def leave(ctx):
    if bpf.current_pid() != ME:
        return
    if ctx.ret < 0:
        errors[-ctx.ret] += 1
    else:
        errors[0] += 1


CASES = [
    {"run": "enter", "trigger": "kill", "ctx": {"pid": ME, "sig": 0}, "globals_after": {"calls": 1},
     "maps_after": {"inside": lambda got: [pid for _, pid in got] == [ME]}},
    {"run": "leave", "trigger": "kill", "ctx": {"ret": 0}, "maps_after": {"errors": {0: 1}}},
]
