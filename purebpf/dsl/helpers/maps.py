"""Elements of maps, by key; local storage of sockets, inodes, tasks and cgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from typing import Any

    from ..ints import i64, u32, u64
    from ..memory import Ptr
    from .kinds import AnyMap, Callback, Kernel, Mem, Out, Sock


@helper(region="map_value")
def map_lookup_elem(map: AnyMap, key: Mem) -> Ptr[Any] | None:
    """The value of `key`, in place; None if the map has no such key."""


@helper()
def map_update_elem(map: AnyMap, key: Mem, value: Mem, flags: u64) -> i64:
    """Store a copy of `value` under `key`; `flags` is ANY (0), NOEXIST (1) or EXIST (2)."""


@helper()
def map_delete_elem(map: AnyMap, key: Mem) -> i64:
    """Remove `key`; -ENOENT if it is not there."""


@helper()
def map_push_elem(map: AnyMap, value: Mem, flags: u64) -> i64:
    """Append `value` to a queue or stack, or add it to a bloom filter; EXIST (2) drops the oldest when full."""


@helper()
def map_pop_elem(map: AnyMap, value: Out) -> i64:
    """Move the next element of a queue or stack into `value`."""


@helper()
def map_peek_elem(map: AnyMap, value: Out) -> i64:
    """Copy the next element of a queue or stack into `value`; 0 if a bloom filter may hold it."""


@helper(region="map_value")
def map_lookup_percpu_elem(map: AnyMap, key: Mem, cpu: u32) -> Ptr[Any] | None:
    """The value of `key` that belongs to CPU `cpu`, in place."""


@helper()
def for_each_map_elem(map: AnyMap, callback_fn: Callback, callback_ctx: Mem | None, flags: u64) -> i64:
    """Call `callback_fn(map, key, value, callback_ctx)` for every element until it returns 1."""


@helper(region="map_value")
def sk_storage_get(map: AnyMap, sk: Sock, value: Mem | None, flags: u64) -> Ptr[Any] | None:
    """The value that this map keeps for a socket; with flag 1 it is made from `value` when missing."""


@helper()
def sk_storage_delete(map: AnyMap, sk: Sock) -> i64:
    """Drop what this map keeps for a socket."""


@helper(region="map_value")
def inode_storage_get(map: AnyMap, inode: Kernel, value: Mem | None, flags: u64) -> Ptr[Any] | None:
    """The value that this map keeps for an inode; with flag 1 it is made from `value` when missing."""


@helper()
def inode_storage_delete(map: AnyMap, inode: Kernel) -> i64:
    """Drop what this map keeps for an inode."""


@helper(region="map_value")
def task_storage_get(map: AnyMap, task: Kernel, value: Mem | None, flags: u64) -> Ptr[Any] | None:
    """The value that this map keeps for a task; with flag 1 it is made from `value` when missing."""


@helper()
def task_storage_delete(map: AnyMap, task: Kernel) -> i64:
    """Drop what this map keeps for a task."""


@helper(region="map_value")
def cgrp_storage_get(map: AnyMap, cgroup: Kernel, value: Mem, flags: u64) -> Ptr[Any] | None:
    """The value that this map keeps for a cgroup; with flag 1 it is made from `value` when missing."""


@helper()
def cgrp_storage_delete(map: AnyMap, cgroup: Kernel) -> i64:
    """Drop what this map keeps for a cgroup."""


@helper(region="map_value")
def get_local_storage(map: AnyMap, flags: u64) -> Ptr[Any]:
    """The value that a cgroup storage map keeps for the cgroup this program is attached to."""
