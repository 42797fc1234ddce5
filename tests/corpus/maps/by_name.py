"""Arguments by name, wherever Python would take them: methods of maps, helpers, words; read in the order they are written."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, Queue, u32, u64, u8

seen = HashMap[u32, u64](max_entries=8)
slots = Array[u64](max_entries=4)
todo = Queue[u32](max_entries=4)
place = Global[u32](3)
order = Global[u64](0)


def step(digit):
    order.value = order.value * 10 + digit
    return digit


def moved():
    place.value = 9
    return 0


@bpf.xdp
def prog(ctx):
    seen.update(key=1, value=5, flags=bpf.NOEXIST)
    seen.update(value=step(1), key=step(2))
    seen.setdefault(key=3, value=30)
    todo.push(value=7, flags=0)
    first = seen.get(1, default=7)
    second = seen.get(key=4, default=8)
    third = slots.get(key=place.value + 6, default=100)
    byte = ctx.packet.at(offset=0, kind=u8)
    if byte is None:
        return 0
    four = bytes(4)
    sum = bpf.helpers.csum_diff(four, 4, to=four, to_size=4, seed=place.value + moved())
    return first * 100 + second * 10 + third + u64(sum) + int.from_bytes(bytes([1, 2]), byteorder="little")


CASES = [{
    "retval": 500 + 80 + 100 + 3 + 0x201, "globals_after": {"order": 12, "place": 9},
    "maps_after": {"seen": {1: 5, 2: 1, 3: 30}, "todo": [7]},
}]
