"""Bloom filters of structs and addresses, asked in conditions, in functions, with contents from user space."""

import purebpf as bpf
from purebpf import BloomFilter, HashMap, be32, u8, u16, u32


@bpf.struct
class Peer:
    address: be32
    port: u16


peers = BloomFilter[Peer](max_entries=1000, hashes=3)
macs = BloomFilter[u8[6]](max_entries=10)
hits = HashMap[u32, u32](max_entries=8)


def unknown(port):
    return Peer(address=0x0A000001, port=port) not in peers


@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    n = 0
    for port in range(80, 84):
        if unknown(port):
            n += 1
            peers.add(Peer(address=0x0A000001, port=port))
    mac = pkt.bytes(6, 6)
    if mac is None or mac in macs:
        return 100
    status = macs.add(mac)
    if mac in macs and n == 4:
        hits[n] = 1
    return n + status


CASES = [{"data": bytes(range(64)), "retval": 4, "maps_after": {"hits": {4: 1}}},
         {"data": bytes(range(64)), "times": 2, "retval": 100, "maps_after": {"hits": {4: 1}}}]
