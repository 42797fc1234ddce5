"""Call stacks by number, counted: who opens files, in the kernel and in user space."""

import os

import purebpf as bpf
from purebpf import CgroupArray, Global, HashMap, StackTrace, u64

JUDGES = ["kernel"]
stacks = StackTrace(max_entries=512, depth=32)
groups = CgroupArray(max_entries=2)
counts = HashMap[u64, u64](max_entries=512)
here = Global[u64](0)


@bpf.tracepoint("syscalls:sys_enter_openat")
def on_open(ctx):
    if bpf.current_pid() != ME or groups.holds_current(1):
        return
    kernel, user = stacks.id(ctx), stacks.id(ctx, user=True, skip=1, flags=bpf.F_FAST_STACK_CMP)
    here.value = kernel >= 0 and user >= -14
    counts[kernel << 32 | user & 0xFFFFFFFF] += 1


ME = os.getpid()
CASES = [{"trigger": "open", "globals_after": {"here": 1}, "maps_after": {"counts": lambda m: len(m) >= 1, "stacks": lambda m: {f[0] >> 63 for _, f in m if f} == {0, 1}}}]
