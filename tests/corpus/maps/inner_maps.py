"""Inner maps in functions, in loops and behind conditions: of a hash of maps, arrays and structs inside."""

import purebpf as bpf
from purebpf import Array, HashMap, HashOfMaps, u32, u64


@bpf.struct
class Stat:
    n: u64
    last: u32


users = HashOfMaps[u32](inner=HashMap[u32, Stat](max_entries=16), max_entries=4)
tables = HashOfMaps[u32](inner=Array[u64](max_entries=4), max_entries=4)


def bump(m, key, value):
    s = m.lookup(key)
    if s is None:
        m[key] = Stat(n=1, last=value)
    else:
        s.n += 1
        s.last = value
    return key in m


@bpf.xdp
def prog(ctx):
    who = ctx.packet[0]
    mine = users.lookup(who)
    found = 0
    if mine is not None:
        for k in range(3):
            if k != 1 or 9 not in mine:
                found += bump(mine, k, who)
        mine[4].n += 5
        for _, v in mine:
            found += v.n
    if who in tables:
        table = tables.lookup(who)
        if table:
            table[2] += 7
            found += 100 * table[2]
    return found


CASES = [
    {"retval": 0},
    {"data": b"\3" + bytes(63), "maps": {"users": {3: {0: (4, 4), 9: (1, 1)}}}, "retval": 2 + 5 + 1 + 5 + 1,
     "maps_after": {"users": {3: {0: (5, 3), 2: (1, 3), 4: (5, 0), 9: (1, 1)}}}},
    {"data": b"\1" + bytes(63), "maps": {"users": {1: {}}, "tables": {1: {2: 1}}}, "retval": 3 + 3 + 5 + 800},
]
