"""What this kernel has and what it does not: fields, types, enumerators, sizes."""

import purebpf as bpf
from purebpf import Global, u64
from purebpf.kernel import BPF_MAP_TYPE_HASH, TCP_ESTABLISHED, sock, task_struct

answers = Global[u64](0)
size = Global[u64](0)


@bpf.tracepoint("syscalls:sys_enter_getppid")
def on_getppid(ctx):
    task = bpf.current_task(task_struct)
    a = 0
    if bpf.field_exists(task_struct, "no_such_field"):
        a |= 1
    if bpf.field_exists(task_struct, "thread_info.flags"):
        a |= 2
        if task.signal.nr_threads > 0:
            a |= 4
    if bpf.type_exists("no_such_type"):
        a |= 8
    if bpf.type_exists("task_struct") and bpf.type_exists(sock):
        a |= 16
    if bpf.enum_exists(TCP_ESTABLISHED) and bpf.enum_value(BPF_MAP_TYPE_HASH) == 1:
        a |= 32
    if bpf.field_size(task_struct, "comm") == 16 and bpf.offsetof(task_struct, "pid") + 4 == bpf.offsetof(task_struct, "tgid"):
        a |= 64
    answers.value = a
    size.value = bpf.type_size(task_struct)


JUDGES = ["kernel"]
CASES = [{"trigger": "getpid", "globals_after": {"answers": 2 + 4 + 16 + 32 + 64, "size": lambda n: 1000 < n < 100000}}]
