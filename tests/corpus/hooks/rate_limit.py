"""A token bucket per source address."""

import purebpf as bpf
from purebpf import HashMap, be32, u64
from purebpf.net import ETH_IP, Ethernet, IPv4

RATE, BURST = 1000, 5


@bpf.struct
class Bucket:
    tokens: u64
    last_ns: u64


buckets = HashMap[be32, Bucket](max_entries=65536)


@bpf.xdp
def limit(ctx):
    pkt = ctx.packet
    eth = pkt.pull(Ethernet)
    if eth is None or eth.proto != ETH_IP:
        return 2
    ip = pkt.pull(IPv4)
    if ip is None:
        return 1
    now = bpf.ktime_ns()
    b = buckets.lookup(ip.src)
    if b is None:
        buckets[ip.src] = Bucket(tokens=BURST - 1, last_ns=now)
        return 2
    earned = (now - b.last_ns) * RATE // 10**12
    if earned > 0:
        b.tokens = min(b.tokens + earned, BURST)
        b.last_ns = now
    if b.tokens == 0:
        return 1
    b.tokens -= 1
    return 2


IP = bytes(12) + b"\x08\0" + bytes(12) + b"\x0a\0\0\1" + bytes(34)
CASES = [
    {"data": IP, "retval": 2, "maps_after": {"buckets": {0x0A000001: lambda b: b.tokens == 4}}},
    {"data": IP, "times": 4, "retval": 2, "maps_after": {"buckets": {0x0A000001: lambda b: b.tokens == 1}}},
    {"data": IP, "times": 7, "retval": 1, "maps_after": {"buckets": {0x0A000001: lambda b: b.tokens == 0}}},
]
