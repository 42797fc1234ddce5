"""Which files are opened, by whom: strings from user space and the process's name."""

import os

import purebpf as bpf
from purebpf import RingBuf, char, u32

ME = os.getpid()


@bpf.struct
class Open:
    pid: u32
    flags: u32
    comm: char[16]
    filename: char[64]


opens = RingBuf[Open](max_entries=65536)


@bpf.tracepoint("syscalls:sys_enter_openat")
def on_openat(ctx):
    if bpf.current_pid() != ME:
        return
    with opens.reserve() as e:
        e.pid = bpf.current_pid()
        e.flags = ctx.flags
        e.comm = bpf.current_comm()
        e.filename = ctx.filename


CASES = [{"trigger": "open", "ctx": {"filename": b"/etc/hostname\0", "flags": 0}, "records": {
    "opens": lambda got: any(e.filename == "/etc/hostname" and e.pid == ME and e.comm != "" for e in got)}}]
