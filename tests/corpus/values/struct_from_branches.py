"""A key built in either branch, used after the join."""

import purebpf as bpf
from purebpf import HashMap, u16, u32, u64
from purebpf.net import Ethernet


@bpf.struct
class Key:
    proto: u32
    port: u16


flows = HashMap[Key, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    eth = ctx.packet.peek(Ethernet)
    if eth is None:
        return 1
    if eth.proto == 0x0800:
        key = Key(proto=4, port=80)
    else:
        key = Key(proto=6, port=0)
    flows[key] += 1
    key.port = 1
    return key.proto + flows.get(key, 100)


CASES = [
    {"data": bytes(12) + b"\x08\x00" + bytes(50), "retval": 104, "maps_after": {"flows": {(4, 80): 1}}},
    {"data": bytes(64), "retval": 106, "maps_after": {"flows": {(6, 0): 1}}},
]
