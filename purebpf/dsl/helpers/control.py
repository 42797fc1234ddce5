"""Flow of control, locks, and system calls of syscall programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import i32, i64, u32, u64
    from .kinds import AnyMap, Callback, Ctx, Mem, Out


@helper()
def tail_call(ctx: Ctx, prog_array_map: AnyMap, index: u32) -> i64:
    """Continue in the program of slot `index` and never return; comes back only if there is none."""


@helper()
def loop(nr_loops: u32, callback_fn: Callback, callback_ctx: Mem | None, flags: u64) -> i64:
    """Call `callback_fn(i, callback_ctx)` for i from 0 until it returns 1 or `nr_loops` is reached; gives the count."""


@helper()
def spin_lock(lock: Mem) -> i64:
    """Take a lock that lives in a map value; one at a time, no calls under it."""


@helper()
def spin_unlock(lock: Mem) -> i64:
    """Release the lock."""


@helper()
def sys_bpf(cmd: u32, attr: Out, attr_size: u32) -> i64:
    """bpf(2), from a syscall program."""


@helper()
def sys_close(fd: u32) -> i64:
    """close(2), from a syscall program."""


@helper()
def btf_find_by_name_kind(name: Mem, name_sz: i32, kind: u32, flags: i32) -> i64:
    """Id of a kernel type by name and kind, with the fd of its BTF in the high 32 bits."""


@helper()
def kallsyms_lookup_name(name: Mem, name_sz: i32, flags: i32, res: Out) -> i64:
    """Address of a kernel symbol, written to `res`."""
