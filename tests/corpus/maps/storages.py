"""Values that stay with a task: made, counted, copied, replaced and deleted while it starts another program."""

import purebpf as bpf
from purebpf import Global, TaskStorage, u64
from purebpf.kernel import task_struct

JUDGES = ["kernel"]


@bpf.struct
class Life:
    opens: u64
    execs: u64


lives = TaskStorage[Life]()
counts = TaskStorage[u64]()
sum_ = Global[u64](0)
reads = Global[u64](0)
left = Global[u64](0)


@bpf.tp_btf("sched_process_exec")
def born(p, old_pid, bprm):
    life = lives.setdefault(p, Life(opens=10))
    life.execs += 1
    counts[p] += 5
    counts[p] += 1
    lives[p].opens += 1
    sum_.value = life.opens + life.execs + counts.get(p, 0)
    counts[p] = 3
    me = bpf.current_task(task_struct)
    reads.value = counts.get(me, 100)
    old = lives.get(p)
    del lives[p]
    if old is not None and lives.lookup(p) is None and p in counts and p not in lives:
        left.value = old.opens
    lives.delete(me)


CASES = [{"trigger": "exec", "globals_after": {"sum_": 18, "reads": 3, "left": 11}}]
