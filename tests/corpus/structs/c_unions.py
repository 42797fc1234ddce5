"""C declarations with structs in unions, enums, typedefs, arrays of structs and packed layouts, from Python and in programs."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, u32

c = bpf.cdef("""
enum state { CLOSED, OPEN = 7 };
typedef struct { __u8 major, minor; } version_t;
struct request {
    union {
        struct { __u16 port; __u16 flags; };
        __u32 word;
        __u8 raw[4];
    };
    enum state state;
    version_t versions[2];
    signed char delta : 5;
    __be16 id;
    union { long long big; struct { int low; int high; } pair; } value;
};
union any { __u64 number; struct { __u32 lo, hi; }; char text[8]; };
""")
wire = bpf.cdef("struct wire { __u8 kind; __u32 length; __u16 sum; };", packed=True)

requests = HashMap[u32, c.request](max_entries=4, values={1: c.request(port=80, flags=3, state=c.OPEN)})
anys = Array[c.any](values=[c.any(number=5), c.any(text="abc")])
last = Global[wire.wire]()


@bpf.xdp
def prog(ctx):
    r = requests.lookup(1)
    if r is None or r.word not in (0x30050, 0x500003) or r.raw[2] + r.raw[3] != 3 or r.state != c.OPEN:
        return 1
    r.raw[0] = 1
    r.versions[1].minor = 9
    r.delta = -3
    r.id = 0x1234
    r.value.pair.high = 1
    requests[2] = c.request(word=0x10002, state=c.CLOSED)
    anys[1].hi = anys[1].lo
    last.value = wire.wire(kind=7, length=0x01020304, sum=5)
    return r.port + bpf.sizeof(wire.wire) + bpf.sizeof(c.request)


LAST = {"last": {"kind": 7, "length": 0x01020304, "sum": 5}}


def members(items):
    return {k: (r.word, r.port, r.state, r.delta, r.id, r.value.big, r.versions[1].minor) for k, r in items}


CASES = [{"retval": 1 + 7 + 24, "globals_after": LAST, "maps_after": {
    "anys": {0: lambda a: a.lo == 5 and a.hi == 0, 1: lambda a: a.lo == a.hi == 0x636261 and a.text == "abc"},
    "requests": lambda items: members(items) == {1: (0x30001, 1, 7, -3, 0x1234, 1 << 32, 9), 2: (0x10002, 2, 0, 0, 0, 0, 0)}},
    "big": {"retval": 0x150 + 7 + 24, "maps_after": {
        "anys": {0: lambda a: a.lo == 0 and a.hi == 5, 1: lambda a: a.lo == a.hi == 0x61626300 and a.text == "abc"},
        "requests": lambda items: members(items) == {1: (0x1500003, 0x150, 7, -3, 0x1234, 1, 9), 2: (0x10002, 1, 0, 0, 0, 0, 0)}}}}]
