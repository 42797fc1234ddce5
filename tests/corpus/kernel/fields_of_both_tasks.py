"""Arguments of a BTF tracepoint, trusted: fields, strings, bit-fields, anonymous members, a loop over both."""

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, i32, u64
from purebpf.kernel import task_struct

names = HashMap[i32, char[16]](max_entries=512)
waits = Global[u64](0)
seen = Global[u64](0)


@bpf.tp_btf("sched_switch")
def on_switch(preempt, prev: Ptr[task_struct], next: Ptr[task_struct]):
    for task in (prev, next):
        names[task.pid] = task.comm
    if prev.in_iowait:
        waits.value += 1
    if next.mm is not None and next.mm.total_vm > 0:
        seen.value += 1


CASES = [{"run": "on_switch", "trigger": "sleep", "globals_after": {"seen": lambda n: n >= 0}}]
JUDGES = ["kernel"]
