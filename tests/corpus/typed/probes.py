"""Probes with their arguments, and the context of one."""

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, u32, u64

sizes = HashMap[u32, u64](max_entries=64)
results = Global[u64](0)
letters = Global[u64](0)


@bpf.kprobe("vfs_read")
def reading(ctx: bpf.ProbeContext) -> None:
    sizes[bpf.current_pid()] += ctx.arg(2)


@bpf.kretprobe("vfs_read")
def read(ctx: bpf.ProbeContext) -> None:
    results.value += ctx.ret


@bpf.uprobe("libc.so.6:strlen")
def measured(text: Ptr[char]) -> None:
    if len(bpf.cstr(text, 32)) > 8:
        letters.value += 1


@bpf.raw_tracepoint("sys_enter")
def entered(ctx: bpf.RawTracepointContext) -> None:
    sizes[0] += ctx.args[1]


@bpf.perf_event
def sampled(ctx: bpf.PerfEventContext) -> int:
    results.value = ctx.sample_period
    return 0


JUDGES = ["kernel"]
