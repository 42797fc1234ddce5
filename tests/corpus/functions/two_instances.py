"""Two instances of one class in one object, with methods that are functions, a base class, variables and tables of their own."""

import purebpf as bpf
from purebpf import Array, Global, HashMap, ProgArray, u32, u64


class Base:
    limit = 3

    def __init__(self, name: str, ports: tuple[int, ...]) -> None:
        self.name = name
        self.ports = ports
        self.seen = HashMap[u32, u64](max_entries=8)
        self.total = Global[u64](0)

    def known(self, port):
        return port in self.ports

    def add(self, port):
        self.seen[port] += 1
        self.total += 1
        return self.total


class Watch(Base):
    step = 10

    @bpf.xdp
    def check(self, ctx):
        port = ctx.packet[0]
        if not self.known(port):
            return 100 + len(self.ports)
        for p in self.ports:
            if p == port + 1:
                shared[0] += self.step
        if self.add(port) > self.limit:
            return bpf.XDP_DROP
        return len(self.name)


class Eager(Watch):
    step = 20
    limit = 0

    @bpf.xdp
    def hop(self, ctx):
        hops[ctx.packet[1]](ctx)
        return 77


shared = Array[u32](max_entries=1)
web = Watch("web", (80, 81))
dns = Eager("names", (53,))
hops = ProgArray(values=[web.check, dns.check])

CASES = [
    {"run": "check", "data": b"\x50" + bytes(63), "retval": 3, "maps_after": {"seen": {80: 1}, "seen_": {}, "shared": {0: 10}},
     "globals_after": {"total": 1}},
    {"run": "check", "data": b"\x50" + bytes(63), "times": 4, "retval": 1, "maps_after": {"seen": {80: 4}}},
    {"run": "check_2", "data": b"\x35" + bytes(63), "retval": 1, "maps_after": {"seen": {}, "seen_": {53: 1}}},
    {"run": "check_2", "data": b"\x36" + bytes(63), "retval": 101},
    {"run": "hop", "data": b"\x35\x01" + bytes(62), "retval": 1, "maps_after": {"seen_": {53: 1}}},
    {"run": "hop", "data": b"\x35\x02" + bytes(62), "retval": 77},
]
