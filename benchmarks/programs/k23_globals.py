"""TC: global variables. Configuration in .rodata, state in .data and .bss: counters, an array indexed by a masked port, a
little state machine."""

import purebpf as bpf
from purebpf import Const, Global, i32, u8, u32, u64
from purebpf.net import ETH_IP, Ethernet, IPv4

port_lo = Const[u32](1000)
port_hi = Const[u32](2000)
log_all = Const[u8](0)

total_pkts = Global[u64](0)
total_bytes = Global[u64](0)
in_range = Global[u64](0)
by_port = Global[u32[64]]()
state = Global[u32](1)
threshold = Global[u64](3)
last_action = Global[i32](-1)


@bpf.struct
class Ports:
    sport: bpf.be16
    dport: bpf.be16


@bpf.tc
def k23_globals(ctx):
    pkt = ctx.packet
    eth, ip, ports = pkt.pull(Ethernet), pkt.pull(IPv4), pkt.pull(Ports)
    if eth is None or ip is None or ports is None or eth.proto != ETH_IP:
        return -1
    port = ports.dport
    act = 0
    total_pkts.value += 1
    total_bytes.value += ctx.len
    by_port[port & 63] += 1
    if port_lo <= port <= port_hi:
        in_range.value += 1
        act = 1
    match state.value:
        case 1:
            if total_pkts >= threshold:
                state.value = 2
        case 2:
            act += 2
            if total_bytes > 100000:
                state.value = 3
        case _:
            act += 4
    if log_all:
        act |= 0x80
    last_action.value = act
    return act
