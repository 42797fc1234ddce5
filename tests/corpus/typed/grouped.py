"""Programs of a class, with maps of the instance."""

import purebpf as bpf
from purebpf import HashMap, RingBuf, u16, u32, u64


@bpf.struct
class Drop:
    port: u16
    size: u32


class Limiter:
    def __init__(self, port: int, most: int = 2) -> None:
        self.port, self.most = port, most
        self.seen = HashMap[u32, u64](max_entries=8)
        self.drops = RingBuf[Drop](max_entries=4096)

    @bpf.xdp
    def check(self, ctx: bpf.XdpContext) -> bpf.XdpAction:
        self.seen[self.port] += 1
        n = self.seen.lookup(self.port)
        if n is not None and n.value > self.most:
            self.drops.output(Drop(port=self.port, size=len(ctx.packet)))
            return bpf.XDP_DROP
        return bpf.XDP_PASS


web = Limiter(80)


def run() -> None:
    with bpf.load(web) as k:
        k[web.check].test_run(bytes(64))
        for drop in k[web.drops].read():
            print(drop.port + drop.size)
        print(k[web.seen][80] + 1)


CASES = [{"run": "check", "times": 3, "retval": 1, "maps_after": {"seen": {80: 3}}, "records": {"drops": [(80, 64)]}}]
