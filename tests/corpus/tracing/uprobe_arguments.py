"""A function of a library: its arguments by position."""

import purebpf as bpf
from purebpf import HashMap, Ptr, char, u64

sizes = HashMap[u64, u64](max_entries=64)


@bpf.uprobe("libc.so.6:malloc")
def on_malloc(size: u64):
    sizes[size.bit_length()] += 1


@bpf.uretprobe("libc.so.6:malloc")
def after_malloc(ret: u64):
    if ret == 0:
        sizes[99] += 1


@bpf.uprobe("libc.so.6:getenv")
def on_getenv(name: Ptr[char]):
    text = bpf.cstr(name, 16)
    if text == "HOME":
        sizes[100] += 1


CASES = [{"run": "on_malloc", "trigger": "open"}]
