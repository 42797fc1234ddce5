"""Structs of three and six bytes, as keys, as fields and copied."""

import purebpf as bpf
from purebpf import Global, HashMap, u8, u32
from purebpf.net import Ethernet


@bpf.struct
class Mac:
    b: u8[6]


@bpf.struct
class Rgb:
    r: u8
    g: u8
    b: u8


hosts = HashMap[Mac, u32](max_entries=8)
colours = HashMap[Rgb, u32](max_entries=8)
last = Global[Mac]()


@bpf.xdp
def learn(ctx):
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 1
    key = Mac(b=eth.src)
    hosts[key] += 1
    last.value = key
    colours[Rgb(1, 2, 3)] = 7
    k = Rgb()
    k.g = 9
    colours[k] = hosts.get(key, 0)
    return 2


MAC = bytes.fromhex("0a0b0c0d0e0f")
CASES = [{"data": bytes(6) + MAC + bytes(52), "retval": 2, "globals_after": {"last": {"b": MAC}},
          "maps_after": {"hosts": {(MAC,): 1}, "colours": {(1, 2, 3): 7, (0, 9, 0): 1}}}]
