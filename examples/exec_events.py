"""Every program that is started: who, by whom, and from which file."""

from typing import Any, Literal

import purebpf as bpf
from purebpf import Array, Ptr, RingBuf, char, i32, u32, u64


@bpf.kernel_struct
class task_struct:
    tgid: i32
    real_parent: Ptr["task_struct"]


@bpf.struct
class Exec:
    pid: u32
    ppid: u32
    uid: u32
    time: u64
    comm: Array[char, Literal[16]]
    filename: Array[char, Literal[128]]


events = RingBuf[Exec](max_entries=256 * 1024)


@bpf.tracepoint("sched:sched_process_exec")
def on_exec(ctx: Any) -> None:
    with events.reserve() as e:
        e.pid = bpf.current_pid()
        e.ppid = bpf.current_task(task_struct).real_parent.tgid
        e.uid = bpf.current_uid()
        e.time = bpf.ktime_ns()
        e.comm = bpf.current_comm()
        e.filename = ctx.filename


if __name__ == "__main__":
    with bpf.load(on_exec) as k:
        for e in k[events].events(timeout=10):
            print(f"{e.time / 1e9:.6f} {e.pid:>7} {e.ppid:>7} {e.uid:>5} {e.comm:16} {e.filename}")
