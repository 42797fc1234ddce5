"""A class groups programs; its attributes are constants as of load."""

import purebpf as bpf
from purebpf import HashMap, u32, u64


class Limiter:
    def __init__(self, port: int) -> None:
        self.port = port
        self.drops = HashMap[u32, u64](max_entries=8)

    @bpf.xdp
    def check(self, ctx):
        if ctx.packet[0] == self.port:
            self.drops[self.port] += 1
            return bpf.XDP_DROP
        return bpf.XDP_PASS


limiter = Limiter(53)
check = limiter.check

CASES = [
    {"data": bytes([53]) + bytes(63), "retval": 1},
    {"data": bytes([54]) + bytes(63), "retval": 2},
]
