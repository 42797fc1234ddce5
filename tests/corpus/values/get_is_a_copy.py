"""What `get` gave stays as it was; the map goes on changing."""

import purebpf as bpf
from purebpf import Global, HashMap, u32, u64


@bpf.struct
class Flow:
    packets: u64
    bytes: u64


flows = HashMap[u32, Flow](max_entries=16)
before = Global[u64](0)


@bpf.xdp
def prog(ctx):
    old = flows.get(1)
    if old is None:
        flows[1] = Flow(packets=1, bytes=100)
        return 2
    flows[1].packets += 4
    before.value = old.packets
    old.bytes = 0
    return 2


CASES = [
    {"retval": 2, "maps_after": {"flows": {1: (1, 100)}}},
    {"maps": {"flows": {1: {"packets": 7, "bytes": 9}}}, "retval": 2, "globals_after": {"before": 7},
     "maps_after": {"flows": {1: (11, 9)}}},
]
