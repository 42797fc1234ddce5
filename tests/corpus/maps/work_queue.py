"""Work that a program leaves for later, when it may sleep: a read of user memory there is nothing for, counted."""

import purebpf as bpf
from purebpf import Array, Global, u8, u32, u64


@bpf.struct
class Job:
    work: bpf.WorkQueue
    size: u64
    failed: u64


jobs = Array[Job](max_entries=2)
done = Global[u64](0)


@bpf.xdp
def submit(ctx):
    def finish(index: u32, job):
        buffer = u8[8]()
        if bpf.helpers.copy_from_user(buffer, 8, 0) < 0:
            job.failed += 1
        done.value += job.size + index

    job = jobs.lookup(1)
    if job is None:
        return 0
    job.size = len(ctx.packet)
    return 2 if job.work.start(finish) == 0 else 1


CASES = [{"retval": 2, "later": True, "maps_after": {"jobs": {1: {"size": 64, "failed": 1}}}, "globals_after": {"done": 65}}]
JUDGES = ["kernel"]
