"""Text as keys and values of maps."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, HashMap, LruHash, char, u32, u64

by_name = HashMap[Array[char, Literal[16]], u64](max_entries=16)
titles = HashMap[u32, Array[char, Literal[16]]](max_entries=16)
nicknames = LruHash[Array[char, Literal[16]], Array[char, Literal[8]]](max_entries=16)
length = Global[u32](0)


def long(name: str) -> bool:
    return len(name) > 4


def head(name: str) -> str:
    part: str = name[2:5]
    return part


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    titles[len(ctx.packet)] = "a packet"
    title = titles.get(64)
    if title is None:
        return bpf.XDP_DROP
    by_name[title] += 1
    by_name["fixed"] += 2
    n = by_name.lookup("fixed")
    if n is not None:
        n.value += 5
    if "absent" in by_name or not long(title):
        return bpf.XDP_DROP
    nicknames["packet"] = head(title)
    length.value = len(nicknames.get("packet", ""))
    return bpf.XDP_PASS


CASES = [{"retval": 2, "globals_after": {"length": 3}, "maps_after": {"by_name": {"a packet": 1, "fixed": 7}, "nicknames": {"packet": "pac"}}}]
