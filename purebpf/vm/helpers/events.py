"""Sending records to user space."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Callable, Final, Mapping

from ..memory import M32, Trap
from ..rings import PerfEventArray, RingBuf

if TYPE_CHECKING:
    from ..world import World

CURRENT_CPU: Final = 0xFFFF_FFFF
WAKEUP_FLAGS: Final = 3


def _ring(w: World, at: int) -> RingBuf:
    one = w.map_at(at)
    if not isinstance(one, RingBuf):
        raise Trap(f"map {one.spec.name!r} is no ring buffer")
    return one


def ringbuf_output(w: World, at: int, data: int, size: int, flags: int, *_: int) -> int:
    if flags & ~WAKEUP_FLAGS:
        return -errno.EINVAL
    return _ring(w, at).output(w.memory.read(data, size))


def ringbuf_reserve(w: World, at: int, size: int, flags: int, *_: int) -> int:
    return 0 if flags else _ring(w, at).reserve(size)


def _commit(w: World, record: int, discard: bool) -> int:
    if not any(one.commit(record, discard) for one in w.maps.values() if isinstance(one, RingBuf)):
        raise Trap(f"{record:#x} is no reserved record")
    return 0


def ringbuf_submit(w: World, record: int, *_: int) -> int:
    return _commit(w, record, discard=False)


def ringbuf_discard(w: World, record: int, *_: int) -> int:
    return _commit(w, record, discard=True)


def ringbuf_query(w: World, at: int, what: int, *_: int) -> int:
    return _ring(w, at).query(what)


def perf_event_output(w: World, ctx: int, at: int, flags: int, data: int, size: int) -> int:
    """`flags`: CPU in the low half, then 20 bits of how much of the packet to append."""
    one = w.map_at(at)
    if not isinstance(one, PerfEventArray):
        raise Trap(f"map {one.spec.name!r} is no perf event array")
    index, appended = flags & M32, flags >> 32 & 0xFFFFF
    if flags >> 52:
        return -errno.EINVAL
    payload = w.memory.read(data, size)
    if appended:
        more = w.the_packet().read(0, appended)
        if more is None:
            return -errno.EFAULT
        payload += more
    return one.output(w.cpu if index == CURRENT_CPU else index, payload)


HELPERS: Final[Mapping[str, Callable[..., int]]] = {
    "ringbuf_output": ringbuf_output,
    "ringbuf_reserve": ringbuf_reserve,
    "ringbuf_submit": ringbuf_submit,
    "ringbuf_discard": ringbuf_discard,
    "ringbuf_query": ringbuf_query,
    "perf_event_output": perf_event_output,
    "xdp_output": perf_event_output,
    "skb_output": perf_event_output,
}
