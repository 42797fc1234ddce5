"""TC: token bucket per source address."""

import purebpf as bpf
from purebpf import Array, HashMap, u32, u64
from purebpf.net import ETH_IP, Ethernet, IPv4

TC_ACT_OK, TC_ACT_SHOT = 0, 2


@bpf.struct
class Config:
    rate: u64  # bytes per 2**20 ns
    burst: u64
    min_cost: u64


@bpf.struct
class Bucket:
    tokens: u64
    last: u64
    passed: u64
    dropped: u64


@bpf.struct
class Source:
    skipped: u32[3]
    src: u32


config = Array[Config](max_entries=1)
buckets = HashMap[u32, Bucket](max_entries=1024)


@bpf.tc
def k05_bucket(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    source = pkt.peek(Source)
    ip = pkt.pull(IPv4)
    if eth is None or ip is None or source is None or eth.proto != ETH_IP:
        return TC_ACT_OK
    cfg = config.lookup(0)
    if cfg is None:
        return TC_ACT_OK
    cost = max(ctx.len, cfg.min_cost)
    now = bpf.ktime_ns()
    b = buckets.lookup(source.src)
    if b is None:
        tokens = cfg.burst - cost if cfg.burst > cost else 0
        buckets.update(source.src, Bucket(tokens=tokens, last=now, passed=1), 1)
        return TC_ACT_OK
    delta = min(now - b.last, 1 << 32)
    tokens = min(b.tokens + (delta * cfg.rate >> 20), cfg.burst)
    b.last = now
    if tokens < cost:
        b.tokens = tokens
        b.dropped += 1
        return TC_ACT_SHOT
    b.tokens = tokens - cost
    b.passed += 1
    return TC_ACT_OK
