"""User memory by an address that is kept from one call to the next: a number that `bpf.user` says where to read."""

import os

import purebpf as bpf
from purebpf import Global, HashMap, Ptr, char, i64, u32, u64

JUDGES = ["kernel"]
saved = HashMap[u32, u64](max_entries=1024)
path = Global[char[16]]()
first = Global[char[8]]()
again = Global[char[16]]()


@bpf.struct
class Start:
    word: u64
    more: i64


word = Global[u64](0)


@bpf.tracepoint("syscalls:sys_enter_openat")
def entered(filename):
    if bpf.current_pid() != ME:
        return
    saved[bpf.current_tid()] = u64(filename)
    address = saved.get(bpf.current_tid(), 0)
    path.value = bpf.cstr(bpf.user(address), 16)
    first.value = char[8](bpf.user(Ptr[char](address)))
    again.value = char[16](bpf.user(filename))
    word.value = Ptr[Start](bpf.user(address)).word


ME = os.getpid()
CASES = [{"trigger": "open", "globals_after": {"path": "/etc/hostname", "again": "/etc/hostname", "first": "/etc/ho",
                                               "word": int.from_bytes(b"/etc/hos", "little")}}]
