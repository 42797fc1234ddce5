"""Who runs next: char arrays of a tracepoint compared and copied at any offset."""

import purebpf as bpf
from purebpf import HashMap, char, u32, u64


@bpf.struct
class Next:
    prio: u32
    comm: char[16]


switches = HashMap[u32, Next](max_entries=1024)
idle = HashMap[u32, u64](max_entries=16)


@bpf.tracepoint("sched:sched_switch")
def on_switch(ctx):
    if ctx.next_pid == 0:
        idle[bpf.cpu()] += 1
        return
    e = Next(prio=ctx.next_prio)
    e.comm = ctx.next_comm
    switches[ctx.next_pid] = e
    if ctx.prev_comm == "swapper/0" or ctx.prev_state != 0:
        idle[100] += 1


CASES = [{"trigger": "sleep"}]
