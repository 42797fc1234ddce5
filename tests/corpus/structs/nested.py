"""Structs in structs, three levels, read and written through names."""

import purebpf as bpf
from purebpf import Global, be16, be32, u8, u64


@bpf.struct
class Addr:
    ip: be32
    port: be16


@bpf.struct
class Flow:
    src: Addr
    dst: Addr
    proto: u8


@bpf.struct
class State:
    flow: Flow
    packets: u64


state = Global[State]()


@bpf.xdp
def prog(ctx):
    flow = state.flow
    flow.src.ip = 0x01020304
    flow.src.port = 80
    flow.dst = flow.src
    flow.dst.port += 1
    state.packets += flow.dst.port
    flow.src, flow.dst = flow.dst, flow.src
    return state.flow.src.port


CASES = [{"retval": 81, "globals_after": {"state": {
    "flow": {"src": (0x01020304, 81), "dst": (0x01020304, 80), "proto": 0}, "packets": 81}}}]
