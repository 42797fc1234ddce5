"""TC: scan a table of 64 rules for the first that matches an address."""

import purebpf as bpf
from purebpf import Array, u32, u64
from purebpf.net import ETH_IP, Ethernet, IPv4

RULES = 64


@bpf.struct
class Rule:
    net: u32
    mask: u32
    weight: u32
    action: u32


@bpf.struct
class Scan:
    addr: u32
    lo: u32
    hi: u32
    found: u32
    sum: u64
    visited: u32
    action: u32


table = Array[Rule](max_entries=RULES)
last = Array[Scan](max_entries=1)


@bpf.tc
def k21_loop(ctx):
    pkt = ctx.packet
    eth, ip = pkt.pull(Ethernet), pkt.pull(IPv4)
    if eth is None or ip is None or eth.proto != ETH_IP:
        return -1
    s = Scan(addr=ip.src, lo=0xFFFFFFFF, found=RULES)
    for i in range(RULES):
        r = table.lookup(i)
        if r is None:
            break
        s.visited += 1
        s.sum += r.weight
        s.lo = min(s.lo, r.weight)
        s.hi = max(s.hi, r.weight)
        if s.addr & r.mask == r.net:
            s.found = i
            s.action = r.action
            break
    last[0] = s
    return s.found << 8 | s.action
