"""Reading, writing and resizing packets; where they go next."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ...uapi.enums import ProgType, TcAction, XdpAction
from ..code import signed
from ..memory import M32
from ..packet import ETH_HLEN

if TYPE_CHECKING:
    from ..world import World


def skb_load_bytes(w: World, ctx: int, offset: int, to: int, size: int, *_: int) -> int:
    return _copy_out(w, offset & M32, to, size & M32)


def _copy_out(w: World, offset: int, to: int, size: int) -> int:
    data = w.the_packet().read(offset, size) if offset <= 0x7FFFFFFF else None
    w.memory.write(to, bytes(size) if data is None else data)
    return -errno.EFAULT if data is None else 0


def skb_load_bytes_relative(w: World, ctx: int, offset: int, to: int, size: int, header: int) -> int:
    """`header`: 0 from the Ethernet header, 1 from the network header."""
    starts_at_link = w.prog_type in (ProgType.SCHED_CLS, ProgType.SCHED_ACT)
    base = {0: 0, 1: ETH_HLEN}.get(header & M32)
    if base is None or offset & M32 > 0xFFFF:
        w.memory.write(to, bytes(size & M32))
        return -errno.EFAULT
    return _copy_out(w, base + (offset & M32) - (0 if starts_at_link else ETH_HLEN), to, size & M32)


def skb_store_bytes(w: World, ctx: int, offset: int, source: int, size: int, flags: int) -> int:
    if flags & ~3:
        return -errno.EINVAL
    data = w.memory.read(source, size & M32)
    return w.the_packet().write(offset & M32, data)


def skb_pull_data(w: World, ctx: int, size: int, *_: int) -> int:
    return -errno.ENOMEM if size & M32 > len(w.the_packet()) else 0


def skb_change_tail(w: World, ctx: int, size: int, flags: int, *_: int) -> int:
    return -errno.EINVAL if flags else w.the_packet().change_tail(size & M32)


def skb_change_head(w: World, ctx: int, size: int, flags: int, *_: int) -> int:
    return -errno.EINVAL if flags else w.the_packet().change_head(size & M32)


def xdp_load_bytes(w: World, ctx: int, offset: int, to: int, size: int, *_: int) -> int:
    data = w.the_packet().read(offset & M32, size & M32)
    if data is None:
        return -errno.EINVAL
    w.memory.write(to, data)
    return 0


def xdp_store_bytes(w: World, ctx: int, offset: int, source: int, size: int, *_: int) -> int:
    data = w.memory.read(source, size & M32)
    return -errno.EINVAL if w.the_packet().write(offset & M32, data) else 0


def xdp_get_buff_len(w: World, *_: int) -> int:
    return len(w.the_packet())


def xdp_adjust_head(w: World, ctx: int, delta: int, *_: int) -> int:
    return w.the_packet().adjust_head(signed(delta, 32))


def xdp_adjust_tail(w: World, ctx: int, delta: int, *_: int) -> int:
    return w.the_packet().adjust_tail(signed(delta, 32))


def xdp_adjust_meta(w: World, ctx: int, delta: int, *_: int) -> int:
    return w.the_packet().adjust_meta(signed(delta, 32))


def redirect(w: World, index: int, flags: int, *_: int) -> int:
    """Remembers the interface; the result is what the program should return."""
    if w.prog_type == ProgType.XDP:
        if flags:
            return XdpAction.ABORTED
        w.redirected = index & M32
        return XdpAction.REDIRECT
    if flags & ~1:
        return TcAction.SHOT
    w.redirected = index & M32
    return TcAction.REDIRECT


def redirect_map(w: World, at: int, key: int, flags: int, *_: int) -> int:
    """XDP_REDIRECT if the map has the key, else the action in the low bits of `flags`."""
    one = w.map_at(at)
    if one.get(w.memory.order.bytes(key, 4)) is None:
        return flags & 3
    w.redirected = key & M32
    return XdpAction.REDIRECT


def clone_redirect(w: World, ctx: int, index: int, flags: int, *_: int) -> int:
    return -errno.EINVAL if flags & ~1 else 0


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "skb_load_bytes": skb_load_bytes,
    "skb_load_bytes_relative": skb_load_bytes_relative,
    "skb_store_bytes": skb_store_bytes,
    "skb_pull_data": skb_pull_data,
    "skb_change_tail": skb_change_tail,
    "skb_change_head": skb_change_head,
    "xdp_load_bytes": xdp_load_bytes,
    "xdp_store_bytes": xdp_store_bytes,
    "xdp_get_buff_len": xdp_get_buff_len,
    "xdp_adjust_head": xdp_adjust_head,
    "xdp_adjust_tail": xdp_adjust_tail,
    "xdp_adjust_meta": xdp_adjust_meta,
    "redirect": redirect,
    "redirect_map": redirect_map,
    "clone_redirect": clone_redirect,
}
