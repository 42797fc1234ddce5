"""The children of a task's parent: a list of the kernel's walked, each object found from its member."""

import purebpf as bpf
from purebpf import Global, i32, u32
from purebpf.kernel import task_struct

count = Global[u32](0)
last = Global[i32](0)


@bpf.tracepoint("syscalls:sys_enter_getppid")
def on_getppid(ctx):
    task = bpf.current_task(task_struct)
    head = bpf.addr(task.real_parent.children)
    node = head.next
    n = 0
    while node != head and n < 100:
        last.value = bpf.container_of(node, task_struct, "sibling").pid
        n += 1
        node = node.next
    count.value = n


JUDGES = ["kernel"]
CASES = [{"trigger": "getpid", "globals_after": {"count": lambda n: 0 < n <= 100}}]
