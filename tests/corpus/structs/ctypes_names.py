"""Types that a ctypes user has at hand already."""

import ctypes

import purebpf as bpf
from purebpf import HashMap


@bpf.struct
class Entry:
    pid: ctypes.c_uint32
    flag: ctypes.c_bool
    data: ctypes.c_uint8 * 4
    when: ctypes.c_int64


entries = HashMap[ctypes.c_uint32, Entry](max_entries=8)


@bpf.xdp
def prog(ctx):
    e = Entry(pid=1, when=-5)
    e.data[2] = e.pid + 299
    e.flag = True
    entries[1] = e
    return ctypes.c_uint8(511) + bpf.sizeof(Entry)


CASES = [{"retval": 279, "maps_after": {"entries": {1: (1, 1, (0, 0, 44, 0), -5)}}}]
