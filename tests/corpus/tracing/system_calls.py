"""System calls by their own arguments: their entry, and their result; by the tracepoint where the kernel has no kprobes."""

import purebpf as bpf
from purebpf import Global, RingBuf, char, i64, u32, u64


@bpf.struct
class Opened:
    pid: u32
    flags: u64
    name: char[32]


opened = RingBuf[Opened](max_entries=65536)
worst = Global[i64](0)
me = Global[u32](0)


@bpf.ksyscall("openat")
def on_open(filename, flags):
    with opened.reserve() as e:
        e.pid = bpf.current_pid()
        e.name = filename
        e.flags = flags


@bpf.kretsyscall("openat")
def on_result(ret):
    if bpf.current_pid() == me.value and ret < worst.value:
        worst.value = ret


JUDGES = ["VM"]  # tests/kernel/test_programs.py has them where there are no kprobes
CASES = [
    {"run": "on_open", "ctx": (-100, "/etc/hostname", 0x8000, 0), "records": {
        "opened": [lambda e: (e.name, e.flags) == ("/etc/hostname", 0x8000)]}},
]
