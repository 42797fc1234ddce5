"""Types from C declarations, with an anonymous union, an array and a bit-field."""

import purebpf as bpf
from purebpf import HashMap, RingBuf, u32

c = bpf.cdef("""
struct key { unsigned int ip; unsigned short port; };
struct event {
    struct key key;
    union { unsigned long long total; unsigned int half[2]; };
    unsigned int kind : 4, code : 12;
    char comm[8];
};
""")

hits = HashMap[c.key, u32](max_entries=8)
events = RingBuf[c.event](max_entries=4096)


@bpf.xdp
def prog(ctx):
    k = c.key(ip=1, port=2)
    hits[k] += 3
    with events.reserve() as e:
        e.key = k
        e.total = 0x100000002
        e.half[1] += 1
        e.kind = 5
        e.code = 0x123
        e.comm = "init"
    return bpf.sizeof(c.event)




def event(total):
    return {"events": [lambda e: (e.key.ip, e.key.port, e.total, e.kind, e.code, e.comm) == (1, 2, total, 5, 0x123, "init")]}


CASES = [{"retval": 32, "maps_after": {"hits": {(1, 2): 3}}, "records": event(0x200000002), "big": {"records": event(0x100000003)}}]
