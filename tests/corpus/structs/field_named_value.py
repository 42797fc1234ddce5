"""A field that is called `value`, in a map, in a global and on the stack."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64


@bpf.struct
class Sample:
    value: u64
    items: u32


samples = HashMap[u32, Sample](max_entries=4)
last = Global[Sample]()


@bpf.xdp
def prog(ctx):
    s = samples.lookup(1)
    if s is None:
        return 0
    s.value += 5
    here = Sample(value=s.value, items=2)
    here.value *= 2
    last.value.value = here.value
    last.items = here.items
    return here.value


CASES = [{"maps": {"samples": {1: {"value": 10, "items": 1}}}, "retval": 30,
          "maps_after": {"samples": {1: (15, 1)}}, "globals_after": {"last": (30, 2)}}]
