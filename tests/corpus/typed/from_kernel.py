"""The kernel's own types and functions, by their names."""

import purebpf as bpf
from purebpf import Global, Ptr, u32, u64
from purebpf.kernel import BPF_MAP_TYPE_HASH, task_struct
from purebpf.kernel.kfuncs import bpf_rcu_read_lock, bpf_rcu_read_unlock

threads = Global[u64](0)
parent = Global[u32](0)
size = Global[u32](0)


@bpf.tp_btf("sched_process_exit")
def on_exit(p: Ptr[task_struct]) -> None:
    task = bpf.current_task(task_struct)
    if task.tgid != p.tgid:
        return
    bpf_rcu_read_lock()
    parent.value = task.real_parent.tgid
    bpf_rcu_read_unlock()
    threads.value += 1 if bpf.enum_exists(BPF_MAP_TYPE_HASH) else 2
    if bpf.field_exists(task_struct, "comm"):
        size.value = bpf.field_size(task_struct, "comm")


JUDGES = ["kernel"]
