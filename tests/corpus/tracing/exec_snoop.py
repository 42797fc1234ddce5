"""Programs started, with their parents."""

import purebpf as bpf
from purebpf import Ptr, RingBuf, char, i32, u32


@bpf.kernel_struct
class task_struct:
    tgid: i32
    real_parent: Ptr["task_struct"]


@bpf.struct
class Exec:
    pid: u32
    ppid: u32
    comm: char[16]
    filename: char[64]


execs = RingBuf[Exec](max_entries=65536)


@bpf.tracepoint("sched:sched_process_exec")
def on_exec(ctx):
    with execs.reserve() as e:
        e.pid = ctx.pid
        e.ppid = bpf.current_task(task_struct).real_parent.tgid
        e.comm = bpf.current_comm()
        e.filename = ctx.filename


def seen(got):
    return got == [] or any(e.ppid > 0 and (e.pid == 0 or (e.filename, e.comm) == ("/bin/true", "true")) for e in got)


CASES = [{"trigger": "exec", "records": {"execs": seen}}]
