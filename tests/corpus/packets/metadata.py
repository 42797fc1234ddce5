"""Metadata in front of the packet: made, written, read again through data_meta."""

import purebpf as bpf
from purebpf import Ptr, u32


@bpf.struct
class Meta:
    mark: u32
    hash: u32


@bpf.xdp
def prog(ctx):
    if bpf.helpers.xdp_adjust_meta(ctx, -bpf.sizeof(Meta)) != 0:
        return 1
    meta = ctx.data_meta
    if meta + bpf.sizeof(Meta) > ctx.data:
        return 3
    m = Ptr[Meta](meta)
    m.mark = 42
    m.hash = ctx.packet[0]
    return m.mark + m.hash


CASES = [{"data": b"\5" + bytes(63), "retval": 47}]
