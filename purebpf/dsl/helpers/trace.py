"""Tracing: stacks, perf events, the hooked function, text output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from ..ints import i32, i64, u32, u64
    from .kinds import AnyMap, Ctx, Kernel, Mem, Out, Text


@helper()
def trace_printk(fmt: Text, fmt_size: u32, *args: u64) -> i64:
    """Write a line to trace_pipe; up to three values for %d %u %x %p %s in `fmt`."""


@helper()
def trace_vprintk(fmt: Text, fmt_size: u32, data: Mem | None, data_len: u32) -> i64:
    """Write a line to trace_pipe; any number of values, as an array of u64."""


@helper()
def perf_event_output(ctx: Ctx, map: AnyMap, flags: u64, data: Mem, size: u64) -> i64:
    """Copy `data` to the perf ring of the CPU in `flags` (0xffffffff: this one)."""


@helper()
def perf_event_read(map: AnyMap, flags: u64) -> u64:
    """The counter of the perf event in slot `flags` of the map."""


@helper()
def perf_event_read_value(map: AnyMap, flags: u64, buf: Out, buf_size: u32) -> i64:
    """Counter, enabled and running time of a perf event, written to `buf`."""


@helper()
def perf_prog_read_value(ctx: Ctx, buf: Out, buf_size: u32) -> i64:
    """The same for the perf event that this program is attached to."""


@helper()
def read_branch_records(ctx: Ctx, buf: Out | None, size: u32, flags: u64) -> i64:
    """Copy the CPU's branch records of this sample to `buf`."""


@helper()
def get_branch_snapshot(entries: Out, size: u32, flags: u64) -> i64:
    """Copy the CPU's branch records as they are now to `entries`."""


@helper()
def get_stackid(ctx: Ctx, map: AnyMap, flags: u64) -> i64:
    """Put the call stack into a stack trace map; gives its id there."""


@helper()
def get_stack(ctx: Ctx, buf: Out, size: u32, flags: u64) -> i64:
    """Copy the call stack to `buf`; flag 256 asks for the user stack."""


@helper()
def get_task_stack(task: Kernel, buf: Out, size: u32, flags: u64) -> i64:
    """Copy the call stack of a task to `buf`."""


@helper()
def get_func_ip(ctx: Ctx) -> u64:
    """Address of the function that is being traced."""


@helper()
def get_attach_cookie(ctx: Ctx) -> u64:
    """The number that user space gave when it attached this program."""


@helper()
def get_func_arg(ctx: Ctx, n: u32, value: Out) -> i64:
    """Argument `n` of the traced function, written to `value`."""


@helper()
def get_func_ret(ctx: Ctx, value: Out) -> i64:
    """Result of the traced function, written to `value`."""


@helper()
def get_func_arg_cnt(ctx: Ctx) -> i64:
    """How many arguments the traced function has."""


@helper()
def override_return(regs: Ctx, rc: u64) -> i64:
    """Make the probed function return `rc` at once (functions marked for error injection)."""


@helper()
def seq_printf(m: Kernel, fmt: Text, fmt_size: u32, data: Mem | None, data_len: u32) -> i64:
    """Print into the file of an iterator program; values are an array of u64."""


@helper()
def seq_write(m: Kernel, data: Mem, len: u32) -> i64:
    """Write bytes into the file of an iterator program."""


@helper()
def seq_printf_btf(m: Kernel, ptr: Mem, ptr_size: u32, flags: u64) -> i64:
    """Print a kernel object, described by its BTF, into the file of an iterator program."""


@helper()
def snprintf_btf(str: Out, str_size: u32, ptr: Mem, btf_ptr_size: u32, flags: u64) -> i64:
    """Print a kernel object, described by its BTF, into `str`."""


@helper()
def skb_output(ctx: Ctx, map: AnyMap, flags: u64, data: Mem, size: u64) -> i64:
    """perf_event_output for programs that have a kernel sk_buff instead of a context."""


@helper()
def xdp_output(ctx: Ctx, map: AnyMap, flags: u64, data: Mem, size: u64) -> i64:
    """perf_event_output for programs that have a kernel xdp_buff instead of a context."""


@helper()
def rc_repeat(ctx: Ctx) -> i64:
    """Report that the last remote control key is held."""


@helper()
def rc_keydown(ctx: Ctx, protocol: u32, scancode: u64, toggle: u32) -> i64:
    """Report a remote control key press."""


@helper()
def rc_pointer_rel(ctx: Ctx, rel_x: i32, rel_y: i32) -> i64:
    """Report a movement of a remote control's pointer."""
