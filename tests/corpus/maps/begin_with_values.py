"""Maps that begin with values: numbers, structs, inner maps, programs in a list; programs that only a map names."""

import purebpf as bpf
from purebpf import Array, ArrayOfMaps, Global, HashMap, HashOfMaps, ProgArray, char, u8, u16, u32, u64


@bpf.struct
class Service:
    name: char[8]
    weight: u8


services = HashMap[u16, Service](max_entries=8, values={80: Service(name="http", weight=3), 22: Service(name="ssh", weight=9)})
primes = Array[u32](values=[2, 3, 5, 7])
small = HashMap[u32, u64](max_entries=4, values={1: 10})
large = HashMap[u32, u64](max_entries=4, values={1: 20, 2: 30})
tables = ArrayOfMaps(inner=HashMap[u32, u64](max_entries=4), max_entries=4, values={0: small, 3: large})
by_name = HashOfMaps[u32](inner=Array[u32](max_entries=4), values={7: primes})
trace = Global[u32](0)


@bpf.xdp
def last(ctx):
    trace.value += 100
    return 3


chain = ProgArray(max_entries=3, values=[last])


@bpf.xdp
def middle(ctx):
    trace.value += 10
    chain[0](ctx)
    return 1


stages = ProgArray(values=[middle, last])


@bpf.xdp
def prog(ctx):
    s = services.lookup(80)
    t = tables.lookup(3)
    p = by_name.lookup(7)
    if s is None or t is None or p is None or tables.lookup(1) is not None:
        return 0
    trace.value = s.weight + primes[3] + t.get(2, 0) + p[1] + (s.name == "http")
    stages[ctx.packet[0]](ctx)
    return 2


CASES = [
    {"run": "prog", "retval": 3, "globals_after": {"trace": 44 + 110}},
    {"run": "prog", "data": b"\1" + bytes(63), "retval": 3, "globals_after": {"trace": 44 + 100}},
    {"run": "prog", "data": b"\2" + bytes(63), "retval": 2, "globals_after": {"trace": 44}},
]
