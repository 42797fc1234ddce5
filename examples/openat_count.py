"""openat() calls per process: count in the kernel, print the ten busiest."""

import time
from typing import Any

import purebpf as bpf
from purebpf import HashMap, u32, u64

calls = HashMap[u32, u64](max_entries=10_240)


@bpf.tracepoint("syscalls:sys_enter_openat")
def on_openat(ctx: Any) -> None:
    calls[bpf.current_pid()] += 1


if __name__ == "__main__":
    with bpf.load(on_openat) as k:
        time.sleep(5)
        for pid, n in k[calls].top(10):
            print(f"{pid:>8} {n}")
