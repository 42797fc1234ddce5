"""Programs that go on in others, and maps in maps."""

import purebpf as bpf
from purebpf import ArrayOfMaps, Global, HashMap, HashOfMaps, ProgArray, u32, u64

inner = HashMap[u32, u64](max_entries=4)
by_number = ArrayOfMaps(inner=HashMap[u32, u64](max_entries=4), max_entries=2)
by_key = HashOfMaps[u32](inner=HashMap[u32, u64](max_entries=4), max_entries=2)
stage = Global[u32](0)


@bpf.xdp
def second(ctx: bpf.XdpContext) -> bpf.XdpAction:
    stage.value = 2
    return bpf.XDP_TX


steps = ProgArray(values={1: second}, max_entries=2)


@bpf.xdp
def first(ctx: bpf.XdpContext) -> bpf.XdpAction:
    stage.value = 1
    table = by_number.lookup(1)
    if table is not None:
        table[5] += 3
    other = by_key.lookup(7)
    if other is not None:
        other[6] = 1
    steps[0](ctx)
    if len(ctx.packet) > 60:
        steps[1](ctx)
    return bpf.XDP_PASS


CASES = [{"run": "first", "retval": 3, "globals_after": {"stage": 2}, "maps": {"by_number": {1: {}}, "by_key": {7: {6: 9}}},
          "maps_after": {"by_number": {1: {5: 3}}, "by_key": {7: {6: 1}}}}]
