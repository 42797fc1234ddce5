"""TCP connections that are opened: IPv4 addresses and IPv6 bytes of a tracepoint."""

import purebpf as bpf
from purebpf import RingBuf, u8, u16, u32


@bpf.struct
class State:
    old: u32
    new: u32
    dport: u16
    saddr: u8[4]
    saddr6: u8[16]


states = RingBuf[State](max_entries=65536)


@bpf.tracepoint("sock:inet_sock_set_state")
def on_state(ctx):
    if ctx.protocol != 6:
        return
    with states.reserve() as e:
        e.old = ctx.oldstate
        e.new = ctx.newstate
        e.dport = ctx.dport
        e.saddr = ctx.saddr
        e.saddr6 = ctx.saddr_v6


CASES = [{"trigger": "connect", "ctx": {"protocol": 6, "oldstate": 7, "newstate": 2, "dport": 80}, "records": {
    "states": lambda got: any(e.old == 7 and e.new == 2 for e in got)}}]
