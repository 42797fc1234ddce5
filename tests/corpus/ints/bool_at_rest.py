"""A flag read from a packet byte or a map is true or false, whatever bits are set."""

import purebpf as bpf
from purebpf import HashMap, u32


@bpf.struct
class Options:
    enabled: bool
    verbose: bool
    level: u32


options = HashMap[u32, Options](max_entries=4)


@bpf.xdp
def prog(ctx):
    raw = ctx.packet.at(0, Options)
    if raw is None:
        return 0
    score = raw.enabled * 100 + raw.verbose
    if raw.enabled == True:  # noqa: E712
        score += 10
    options[1] = Options(enabled=raw.level & 4, verbose=not raw.enabled, level=5)
    return score


CASES = [
    {"data": b"\x07\0\0\0\x04\0\0\0" + bytes(56), "retval": 110, "maps_after": {"options": {1: (True, False, 5)}},
     "big": {"data": b"\x07\0\0\0\0\0\0\x04" + bytes(56)}},
    {"data": b"\0\x80\0\0\x03\0\0\0" + bytes(56), "retval": 1, "maps_after": {"options": {1: (False, True, 5)}}},
]
