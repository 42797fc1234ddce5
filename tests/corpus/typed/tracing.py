"""Tracepoints with arguments and with a record of one's own, and what the running task is."""

from typing import Any, Literal

import purebpf as bpf
from purebpf import Array, HashMap, Ptr, RingBuf, char, i32, u32, u64


@bpf.kernel_struct
class task_struct:
    pid: i32
    tgid: i32
    real_parent: Ptr["task_struct"]


@bpf.struct
class Opened:
    pid: u32
    parent: u32
    uid: u32
    comm: Array[char, Literal[16]]
    path: Array[char, Literal[64]]


opened = RingBuf[Opened](max_entries=1 << 16)
started = HashMap[u32, u64](max_entries=1024)


def parent_of(task: task_struct) -> int:
    return task.real_parent.tgid


@bpf.tracepoint("syscalls:sys_enter_openat")
def on_enter(filename: Ptr[char], flags: int) -> None:
    started[bpf.current_tid()] = bpf.ktime_ns()
    with opened.reserve() as e:
        e.pid = bpf.current_pid()
        e.uid = bpf.current_uid()
        e.comm = bpf.current_comm()
        e.parent = parent_of(bpf.current_task(task_struct))
        e.path = bpf.cstr(filename, 64)
        if flags & 1 and e.path.startswith("/proc/"):
            opened.discard(e)


@bpf.tracepoint("syscalls:sys_exit_openat")
def on_exit(ctx: Any) -> None:
    since = started.lookup(bpf.current_tid())
    if since is not None and ctx.ret >= 0:
        print(f"{bpf.current_comm()} waited {bpf.ktime_ns() - since.value}")
    del started[bpf.current_tid()]


def report() -> None:
    with bpf.load(on_enter, on_exit) as k:
        for e in k[opened].events(timeout=1):
            print(e.pid, e.comm.upper(), e.path.rpartition("/")[2])
        for tid, time in k[started].items():
            print(tid + 1, time / 1e9)
