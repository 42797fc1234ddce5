"""Packets sent on by maps of devices and CPUs: where the entry is empty the program's default is the answer."""

import purebpf as bpf
from purebpf import CpuMap, DevMap, DevMapHash, XskMap

devices = DevMap(max_entries=8)
by_number = DevMapHash(max_entries=8)
cpus = CpuMap(max_entries=4)
sockets = XskMap(max_entries=4)


@bpf.xdp
def forward(ctx):
    return devices.redirect(ctx.rx_queue_index + 1, default=bpf.XDP_PASS)


@bpf.xdp
def spread(ctx) -> bpf.XdpAction:
    if len(ctx.packet) > 100:
        return cpus.redirect(len(ctx.packet) & 3, bpf.XDP_TX)
    return by_number.redirect(70_000)


@bpf.xdp
def capture(ctx):
    answer = bpf.XDP_PASS if len(ctx.packet) > 100 else bpf.XDP_DROP
    return sockets.redirect(ctx.rx_queue_index, default=answer)


JUDGES = ["kernel"]
CASES = [
    {"run": "forward", "retval": 2},
    {"run": "spread", "retval": 0},
    {"run": "spread", "data": bytes(128), "retval": 3},
    {"run": "capture", "retval": 1},
    {"run": "capture", "data": bytes(128), "retval": 2},
]
