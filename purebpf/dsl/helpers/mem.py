"""Reading and writing memory; strings; dynptrs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from typing import Any

    from ..ints import i64, u32, u64
    from ..memory import Ptr
    from .kinds import Dynptr, Kernel, Mem, Out, Text


@helper()
def probe_read(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy `size` bytes from any address to `dst`; prefer probe_read_kernel or probe_read_user."""


@helper()
def probe_read_str(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy a NUL-terminated string from any address; prefer probe_read_kernel_str or probe_read_user_str."""


@helper()
def probe_read_user(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy `size` bytes of user memory to `dst`; -EFAULT and zeros if it is not mapped in."""


@helper()
def probe_read_kernel(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy `size` bytes of kernel memory to `dst`; -EFAULT and zeros if the address is bad."""


@helper()
def probe_read_user_str(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy a string of user memory to `dst`; gives its length with the NUL."""


@helper()
def probe_read_kernel_str(dst: Out, size: u32, unsafe_ptr: u64) -> i64:
    """Copy a string of kernel memory to `dst`; gives its length with the NUL."""


@helper()
def probe_write_user(dst: u64, src: Mem, len: u32) -> i64:
    """Write to user memory of the running process; for experiments, refused under lockdown."""


@helper()
def copy_from_user(dst: Out, size: u32, user_ptr: u64) -> i64:
    """Copy user memory to `dst`, faulting it in: for sleepable programs."""


@helper()
def copy_from_user_task(dst: Out, size: u32, user_ptr: u64, tsk: Kernel, flags: u64) -> i64:
    """Copy user memory of another task to `dst`: for sleepable programs."""


@helper()
def snprintf(str: Out | None, str_size: u32, fmt: Text, data: Mem | None, data_len: u32) -> i64:
    """Format into `str`; values are an array of u64; gives the length it would need."""


@helper()
def strncmp(s1: Mem, s1_sz: u32, s2: Text) -> i64:
    """Compare a string of at most `s1_sz` bytes with the constant string `s2`, as C does."""


@helper()
def strtol(buf: Mem, buf_len: u64, flags: u64, res: Out) -> i64:
    """Parse a signed number; low bits of `flags` give the base, 0 is automatic; gives the characters used."""


@helper()
def strtoul(buf: Mem, buf_len: u64, flags: u64, res: Out) -> i64:
    """Parse an unsigned number; low bits of `flags` give the base, 0 is automatic; gives the characters used."""


@helper()
def d_path(path: Kernel, buf: Out, sz: u32) -> i64:
    """Write the full path of a struct path to `buf`; gives its length."""


@helper(region="kernel")
def per_cpu_ptr(percpu_ptr: Kernel, cpu: u32) -> Ptr[Any] | None:
    """The copy of a per-CPU kernel variable that belongs to `cpu`; None if there is no such CPU."""


@helper(region="kernel")
def this_cpu_ptr(percpu_ptr: Kernel) -> Ptr[Any]:
    """This CPU's copy of a per-CPU kernel variable."""


@helper(region="kernel")
def kptr_xchg(dst: Mem, ptr: Kernel) -> Ptr[Any] | None:
    """Put a kernel pointer (or None) into a map value and take out the one that was there."""


@helper()
def dynptr_from_mem(data: Mem, size: u64, flags: u64, ptr: Dynptr) -> i64:
    """Make a dynptr of memory in a map value."""


@helper()
def dynptr_read(dst: Out, len: u64, src: Dynptr, offset: u64, flags: u64) -> i64:
    """Copy `len` bytes at `offset` of a dynptr to `dst`."""


@helper()
def dynptr_write(dst: Dynptr, offset: u64, src: Mem, len: u64, flags: u64) -> i64:
    """Copy `src` to `offset` of a dynptr."""


@helper(region="mem")
def dynptr_data(ptr: Dynptr, offset: u64, len: u64) -> Ptr[Any] | None:
    """A pointer to `len` bytes at `offset` of a dynptr; None if they are not all there."""
