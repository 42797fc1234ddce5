"""Packets before the network stack, and where to send them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import i32, i64, u32, u64
    from .kinds import AnyMap, Ctx, Mem, Out


@helper()
def xdp_adjust_head(xdp_md: Ctx, delta: i32) -> i64:
    """Move the start of the packet by `delta` bytes (negative: room in front)."""


@helper()
def xdp_adjust_tail(xdp_md: Ctx, delta: i32) -> i64:
    """Move the end of the packet by `delta` bytes."""


@helper()
def xdp_adjust_meta(xdp_md: Ctx, delta: i32) -> i64:
    """Move the start of the metadata in front of the packet by `delta` bytes."""


@helper()
def xdp_get_buff_len(xdp_md: Ctx) -> u64:
    """Length of the packet with all fragments."""


@helper()
def xdp_load_bytes(xdp_md: Ctx, offset: u32, buf: Out, len: u32) -> i64:
    """Copy `len` bytes at `offset` of the packet to `buf`, fragments included."""


@helper()
def xdp_store_bytes(xdp_md: Ctx, offset: u32, buf: Mem, len: u32) -> i64:
    """Write `len` bytes at `offset` of the packet, fragments included."""


@helper()
def redirect_map(map: AnyMap, key: u64, flags: u64) -> i64:
    """Send the packet to the device, CPU or AF_XDP socket in slot `key`; low bits of `flags` are the result if none."""


@helper()
def fib_lookup(ctx: Ctx, params: Out, plen: i32, flags: u32) -> i64:
    """Look up the route of `params`, which gets the next hop and interface."""


@helper()
def check_mtu(ctx: Ctx, ifindex: u32, mtu_len: Out, len_diff: i32, flags: u64) -> i64:
    """Does the packet, `len_diff` bytes longer, fit the MTU of interface `ifindex`? Writes the MTU to `mtu_len`."""
