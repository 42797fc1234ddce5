"""openat() calls per process."""

import os

import purebpf as bpf
from purebpf import HashMap, u32, u64

calls = HashMap[u32, u64](max_entries=1024)


@bpf.tracepoint("syscalls:sys_enter_openat")
def on_openat(ctx):
    if bpf.current_pid() == ME:
        calls[bpf.current_pid()] += 1


ME = os.getpid()
CASES = [{"trigger": "open", "maps_after": {"calls": {ME: lambda n: n >= 1}}}]
