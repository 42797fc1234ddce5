"""Ring buffers, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from typing import Any

    from ..ints import i64, u32, u64
    from ..memory import Ptr
    from .kinds import AnyMap, Callback, Dynptr, Mem


@helper()
def ringbuf_output(ringbuf: AnyMap, data: Mem, size: u64, flags: u64) -> i64:
    """Copy `data` into the ring buffer as one record; -EAGAIN when it is full."""


@helper(region="mem")
def ringbuf_reserve(ringbuf: AnyMap, size: u64, flags: u64) -> Ptr[Any] | None:
    """Room for a record of `size` bytes, to be filled in place; None when the ring buffer is full."""


@helper()
def ringbuf_submit(data: Mem, flags: u64) -> None:
    """Make a reserved record visible to the reader; flag 1: without waking it, 2: always waking it."""


@helper()
def ringbuf_discard(data: Mem, flags: u64) -> None:
    """Give a reserved record back unseen."""


@helper()
def ringbuf_query(ringbuf: AnyMap, flags: u64) -> u64:
    """State of the ring buffer: 0 unread bytes, 1 size, 2 and 3 the reader's and the writer's position."""


@helper()
def ringbuf_reserve_dynptr(ringbuf: AnyMap, size: u32, flags: u64, ptr: Dynptr) -> i64:
    """Room for a record of a size known only at run time; release it even when this fails."""


@helper()
def ringbuf_submit_dynptr(ptr: Dynptr, flags: u64) -> None:
    """Make a record reserved through a dynptr visible to the reader."""


@helper()
def ringbuf_discard_dynptr(ptr: Dynptr, flags: u64) -> None:
    """Give a record reserved through a dynptr back unseen."""


@helper()
def user_ringbuf_drain(map: AnyMap, callback_fn: Callback, ctx: Mem | None, flags: u64) -> i64:
    """Call `callback_fn(dynptr, ctx)` for every record that user space has written."""
