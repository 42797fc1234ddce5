"""Global subprograms that take the context of tc, and hand it on; several of them; small numbers and None among the arguments."""

import purebpf as bpf
from purebpf import Array, Ptr, i64, u8, u16, u32, u64


@bpf.struct
class Total:
    packets: u64
    octets: u64


totals = Array[Total](max_entries=2)


@bpf.func(global_=True)
def first_byte(ctx, at: u8) -> u32:
    pkt = ctx.packet
    byte = pkt.at(at, u8)
    return byte.value if byte is not None else 256


@bpf.func(global_=True)
def mark(ctx, value: u32) -> u32:
    ctx.mark = value
    return first_byte(ctx, 1) + ctx.mark


@bpf.func(global_=True)
def account(total: Ptr[Total] | None, octets: u16) -> i64:
    if total is None:
        return -1
    total.packets += 1
    total.octets += octets
    return total.octets


@bpf.tc
def prog(ctx):
    entry = totals.lookup(1)
    n = account(entry, ctx.len)
    if account(totals.lookup(ctx.len + 7), 1) != -1:
        return 1
    return mark(ctx, 1000) + n


CASES = [{"data": b"\0\5" + bytes(62), "retval": 1005 + 64, "maps_after": {"totals": {1: (1, 64)}}}]
