"""What is assigned is made before the target's parts: numbers, structs, what comes by reference, several at once."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, u32, u64


@bpf.struct
class Pair:
    a: u32
    b: u32


count = Global[u64](1)
numbers = Global[u64[4]]()
pairs = Global[Pair[4]]()
whole = Global[Pair]()
table = Array[Pair](max_entries=4)
seen = HashMap[u32, Pair](max_entries=4)


def turn(k):
    count.value += 1
    whole.a += 1
    return k


@bpf.xdp
def prog(ctx):
    numbers[turn(1)] = count.value                       # 1, then 2
    pairs[turn(1)] = Pair(a=count.value, b=turn(9))      # 2; 3, then 4
    pairs[turn(2)] = whole                               # the thing itself: read when it is copied
    table[turn(3)] = Pair(b=count.value)                 # 5
    seen[turn(3)] = Pair(count.value, turn(8))           # 6, then 8
    pairs[turn(0)].b = count.value                       # 8
    pairs[turn(3)], numbers[turn(3)] = Pair(a=count.value), count.value   # 9, 9
    return count.value


CASES = [{"retval": 11, "globals_after": {"numbers": [0, 1, 0, 9], "pairs": [(0, 8), (2, 9), (4, 0), (9, 0)]},
          "maps_after": {"table": {3: (0, 5)}, "seen": {3: (6, 8)}}}]
