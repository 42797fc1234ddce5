"""Clocks and timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import i64, u64
    from .kinds import AnyMap, Callback, Mem


@helper()
def ktime_get_ns() -> u64:
    """Nanoseconds since boot, not counting suspend (CLOCK_MONOTONIC)."""


@helper()
def ktime_get_boot_ns() -> u64:
    """Nanoseconds since boot, counting suspend (CLOCK_BOOTTIME)."""


@helper()
def ktime_get_coarse_ns() -> u64:
    """Nanoseconds since boot as of the last tick: cheaper, up to some milliseconds old."""


@helper()
def ktime_get_tai_ns() -> u64:
    """Nanoseconds of international atomic time (CLOCK_TAI)."""


@helper()
def jiffies64() -> u64:
    """The kernel's tick counter."""


@helper()
def timer_init(timer: Mem, map: AnyMap, flags: u64) -> i64:
    """Prepare a timer that lives in a value of `map`; the low bits of `flags` name the clock."""


@helper()
def timer_set_callback(timer: Mem, callback_fn: Callback) -> i64:
    """Let `callback_fn(map, key, value)` run when the timer fires."""


@helper()
def timer_start(timer: Mem, nsecs: u64, flags: u64) -> i64:
    """Fire in `nsecs` nanoseconds; flag 1: at that absolute time, flag 2: on this CPU."""


@helper()
def timer_cancel(timer: Mem) -> i64:
    """Stop the timer and wait for its callback; 1 if it was running."""
