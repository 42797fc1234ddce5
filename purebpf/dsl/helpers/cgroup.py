"""Cgroups and sysctls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import i32, i64, u32, u64
    from .kinds import AnyMap, Ctx, Mem, Out, Sock


@helper()
def get_current_cgroup_id() -> u64:
    """Id of the running task's cgroup (version 2)."""


@helper()
def get_current_ancestor_cgroup_id(ancestor_level: i32) -> u64:
    """Id of that cgroup's ancestor at `ancestor_level`."""


@helper()
def current_task_under_cgroup(map: AnyMap, index: u32) -> i64:
    """Is the running task below the cgroup in slot `index` of the map?"""


@helper()
def sk_cgroup_id(sk: Sock) -> u64:
    """Id of a socket's cgroup."""


@helper()
def sk_ancestor_cgroup_id(sk: Sock, ancestor_level: i32) -> u64:
    """Id of that cgroup's ancestor at `ancestor_level`."""


@helper()
def get_retval() -> i64:
    """The error that the system call will give as things stand."""


@helper()
def set_retval(retval: i32) -> i64:
    """Let the system call give this error (negative) or none (0)."""


@helper()
def sysctl_get_name(ctx: Ctx, buf: Out, buf_len: u64, flags: u64) -> i64:
    """Copy the sysctl's name to `buf`; flag 1: only its last part."""


@helper()
def sysctl_get_current_value(ctx: Ctx, buf: Out, buf_len: u64) -> i64:
    """Copy the sysctl's value to `buf`."""


@helper()
def sysctl_get_new_value(ctx: Ctx, buf: Out, buf_len: u64) -> i64:
    """Copy the value that is being written to `buf`."""


@helper()
def sysctl_set_new_value(ctx: Ctx, buf: Mem, buf_len: u64) -> i64:
    """Replace the value that is being written."""
