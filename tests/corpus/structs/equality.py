"""`==` compares fields, padding aside; `in` a tuple of structs too."""

import purebpf as bpf
from purebpf import HashMap, u8, u16, u32


@bpf.struct
class Endpoint:
    addr: u32
    port: u16
    proto: u8


peers = HashMap[u32, Endpoint](max_entries=4)


@bpf.xdp
def prog(ctx):
    me = Endpoint(addr=0x0A000001, port=80, proto=6)
    peer = peers.get(0)
    if peer is None:
        return 9
    if peer == me:
        return 1
    me.port = 443
    if peer != me:
        return 2
    return 3


CASES = [
    {"retval": 9},
    {"maps": {"peers": {0: {"addr": 0x0A000001, "port": 80, "proto": 6}}}, "retval": 1},
    {"maps": {"peers": {0: {"addr": 0x0A000001, "port": 443, "proto": 6}}}, "retval": 3},
    {"maps": {"peers": {0: {"addr": 0x0A000001, "port": 80, "proto": 17}}}, "retval": 2},
]
