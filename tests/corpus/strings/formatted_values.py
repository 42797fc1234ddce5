"""f-strings as values: compared, measured, as keys, in functions and loops, in conditions; too long; of many values; nested."""

import purebpf as bpf
from purebpf import Global, HashMap, be32, char, i32, u8, u16, u64


@bpf.struct
class Peer:
    name: char[8]
    mac: u8[6]
    address: be32
    port: u16
    up: bool
    change: i32


@bpf.struct
class Lines:
    first: char[32]
    second: char[40]
    third: char[64]
    tiny: char[1]
    many: char[64]
    raw: u8[12]


peer = Global[Peer]()
out = Global[Lines]()
seen = HashMap[char[16], u64](max_entries=8)


def label(p, n):
    return f"{p.name}#{n}"


@bpf.xdp
def prog(ctx):
    n = ctx.packet[0]
    out.first = label(peer, n)
    out.second = f"{bpf.ip4(peer.address)}:{peer.port}" if peer.up else "down"
    out.third = f"{bpf.mac(peer.mac):>20}|{peer.change:+d}|{peer.up}|{peer.name!r}|{peer.name:.2}|{bpf.hex(peer.mac)}"
    out.tiny = f"{n}"
    out.many = f"{n}{n}{n}{n}{n}{n}{n}{n} {n:02x}{n:02x}{n:02x}{n:02x} {n:3}{n:<3}{n:#x}"
    out.raw = f"{n:#06x}{{}}%"
    for i in range(3):
        seen[f"key {i * n}"] += 1
    text = f"{n}/{peer.port}"
    text = f"<{text}>"
    if text == f"<{n}/80>" and len(text) == 6 and f"{n}" != f"{n + 1}":
        return 2
    return 1


PEER = {"name": "longname", "mac": [1, 2, 3, 0xAB, 0, 255], "address": 0x0A0B0C0D, "port": 80, "up": 1, "change": 5}
CASES = [
    {"data": b"\7" + bytes(63), "set": {"peer": PEER}, "retval": 2,
     "maps_after": {"seen": {"key 0": 1, "key 7": 1, "key 14": 1}},
     "globals_after": {"out": {
         "first": "longname#7", "second": "10.11.12.13:80", "third": "   01:02:03:ab:00:ff|+5|True|'longname'|lo|010203ab00ff",
         "tiny": "", "many": "77777777 07070707   77  0x7", "raw": tuple(b"0x0007{}%\0\0\0")}}},
    {"data": bytes(64), "set": {"peer": {**PEER, "name": "", "up": 0, "change": -12, "port": 8}}, "retval": 1,
     "maps_after": {"seen": {"key 0": 3}},
     "globals_after": {"out": {"first": "#0", "second": "down", "third": "   01:02:03:ab:00:ff|-12|False|''||010203ab00ff"}}},
]
