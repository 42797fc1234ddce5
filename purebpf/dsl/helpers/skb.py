"""Packets as sk_buff: tc, socket filters, lightweight tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import be16, i32, i64, u16, u32, u64
    from .kinds import AnyMap, Ctx, Mem, Out


@helper()
def skb_load_bytes(skb: Ctx, offset: u32, to: Out, len: u32) -> i64:
    """Copy `len` bytes at `offset` of the packet to `to`, whether linear or not."""


@helper()
def skb_load_bytes_relative(skb: Ctx, offset: u32, to: Out, len: u32, start_header: u32) -> i64:
    """The same from the start of the MAC (0) or network (1) header."""


@helper()
def skb_store_bytes(skb: Ctx, offset: u32, from_: Mem, len: u32, flags: u64) -> i64:
    """Write bytes into the packet; flag 1 keeps the checksum right, 2 forgets the hash."""


@helper()
def skb_pull_data(skb: Ctx, len: u32) -> i64:
    """Make the first `len` bytes (0: all) directly accessible through ctx.data."""


@helper()
def skb_change_tail(skb: Ctx, len: u32, flags: u64) -> i64:
    """Shorten or lengthen the packet to `len` bytes."""


@helper()
def skb_change_head(skb: Ctx, len: u32, flags: u64) -> i64:
    """Make room for `len` more bytes in front of the packet."""


@helper()
def skb_change_proto(skb: Ctx, proto: be16, flags: u64) -> i64:
    """Turn an IPv4 packet into IPv6 or back; the new header is the program's to write."""


@helper()
def skb_change_type(skb: Ctx, type: u32) -> i64:
    """Change whether the packet counts as for this host, broadcast, multicast or other."""


@helper()
def skb_adjust_room(skb: Ctx, len_diff: i32, mode: u32, flags: u64) -> i64:
    """Grow or shrink the packet at the MAC or network layer."""


@helper()
def skb_vlan_push(skb: Ctx, vlan_proto: be16, vlan_tci: u16) -> i64:
    """Add a VLAN tag."""


@helper()
def skb_vlan_pop(skb: Ctx) -> i64:
    """Remove the VLAN tag."""


@helper()
def skb_get_tunnel_key(skb: Ctx, key: Out, size: u32, flags: u64) -> i64:
    """Copy what the packet's tunnel header said to `key`."""


@helper()
def skb_set_tunnel_key(skb: Ctx, key: Mem, size: u32, flags: u64) -> i64:
    """Say what tunnel header the packet shall get."""


@helper()
def skb_get_tunnel_opt(skb: Ctx, opt: Out, size: u32) -> i64:
    """Copy the tunnel header's options to `opt`."""


@helper()
def skb_set_tunnel_opt(skb: Ctx, opt: Mem, size: u32) -> i64:
    """Say what options the tunnel header shall have."""


@helper()
def skb_get_xfrm_state(skb: Ctx, index: u32, xfrm_state: Out, size: u32, flags: u64) -> i64:
    """Copy the `index`-th IPsec state of the packet to `xfrm_state`."""


@helper()
def skb_set_tstamp(skb: Ctx, tstamp: u64, tstamp_type: u32) -> i64:
    """Change the packet's time stamp and which clock it is of."""


@helper()
def skb_ecn_set_ce(skb: Ctx) -> i64:
    """Mark the packet as having met congestion; 1 if it could be marked."""


@helper()
def skb_under_cgroup(skb: Ctx, map: AnyMap, index: u32) -> i64:
    """Is the packet's socket below the cgroup in slot `index` of the map?"""


@helper()
def skb_cgroup_id(skb: Ctx) -> u64:
    """Id of the cgroup of the packet's socket."""


@helper()
def skb_ancestor_cgroup_id(skb: Ctx, ancestor_level: i32) -> u64:
    """Id of that cgroup's ancestor at `ancestor_level`."""


@helper()
def skb_cgroup_classid(skb: Ctx) -> u64:
    """net_cls class of the packet's socket."""


@helper()
def l3_csum_replace(skb: Ctx, offset: u32, from_: u64, to: u64, size: u64) -> i64:
    """Update the IPv4 header checksum at `offset` after a field of `size` bytes changed."""


@helper()
def l4_csum_replace(skb: Ctx, offset: u32, from_: u64, to: u64, flags: u64) -> i64:
    """Update the TCP or UDP checksum at `offset` after a field changed; flag 16: it is in the pseudo header."""


@helper()
def csum_diff(from_: Mem | None, from_size: u32, to: Mem | None, to_size: u32, seed: u32) -> i64:
    """How the checksum changes when bytes `from_` become `to`; either may be None."""


@helper()
def csum_update(skb: Ctx, csum: u32) -> i64:
    """Add to the packet's checksum as the device computed it."""


@helper()
def csum_level(skb: Ctx, level: u64) -> i64:
    """Ask or change how many headers' checksums are known to be right."""


@helper()
def get_hash_recalc(skb: Ctx) -> u32:
    """The packet's flow hash, computed if need be."""


@helper()
def set_hash(skb: Ctx, hash: u32) -> i64:
    """Set the packet's flow hash."""


@helper()
def set_hash_invalid(skb: Ctx) -> None:
    """Forget the packet's flow hash, so that it is computed anew."""


@helper()
def get_cgroup_classid(skb: Ctx) -> u32:
    """net_cls class of the running task (tc egress)."""


@helper()
def get_route_realm(skb: Ctx) -> u32:
    """Realm of the packet's route."""


@helper()
def clone_redirect(skb: Ctx, ifindex: u32, flags: u64) -> i64:
    """Send a copy of the packet out of interface `ifindex` (flag 1: into it)."""


@helper()
def redirect(ifindex: u32, flags: u64) -> i64:
    """Send the packet out of interface `ifindex` (flag 1: into it) when the program returns this result."""


@helper()
def redirect_neigh(ifindex: u32, params: Mem | None, plen: i32, flags: u64) -> i64:
    """The same, and fill in the link-layer address of the next hop."""


@helper()
def redirect_peer(ifindex: u32, flags: u64) -> i64:
    """Hand the packet to the peer of a veth or netkit device, in its network namespace."""


@helper()
def lwt_push_encap(skb: Ctx, type: u32, hdr: Mem, len: u32) -> i64:
    """Put an outer header in front of the packet."""


@helper()
def lwt_seg6_store_bytes(skb: Ctx, offset: u32, from_: Mem, len: u32) -> i64:
    """Write into the segment routing header."""


@helper()
def lwt_seg6_adjust_srh(skb: Ctx, offset: u32, delta: i32) -> i64:
    """Grow or shrink the segment routing header."""


@helper()
def lwt_seg6_action(skb: Ctx, action: u32, param: Mem, param_len: u32) -> i64:
    """Do a segment routing action on the packet."""
