"""Who is running: process, user, CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import helper

if TYPE_CHECKING:
    from typing import Any

    from ..ints import i64, u32, u64
    from ..memory import Ptr
    from .kinds import Callback, Kernel, Mem, Out


@helper()
def get_current_pid_tgid() -> u64:
    """tgid (the process id) in the high 32 bits, pid (the thread id) in the low ones."""


@helper()
def get_ns_current_pid_tgid(dev: u64, ino: u64, nsdata: Out | None, size: u32) -> i64:
    """pid and tgid as the pid namespace of (`dev`, `ino`) numbers them, written to `nsdata`."""


@helper()
def get_current_uid_gid() -> u64:
    """Group id in the high 32 bits, user id in the low ones."""


@helper()
def get_current_comm(buf: Out, size_of_buf: u32) -> i64:
    """Copy the running thread's name to `buf`, NUL-terminated."""


@helper()
def get_current_task() -> u64:
    """Address of the running task_struct, as a number for probe_read_kernel."""


@helper(region="kernel", target="task_struct")
def get_current_task_btf() -> Ptr[Any]:
    """The running task_struct as a pointer that may be dereferenced."""


@helper(region="kernel", target="pt_regs")
def task_pt_regs(task: Kernel) -> Ptr[Any]:
    """The user registers of a task."""


@helper()
def get_smp_processor_id() -> u32:
    """Number of the CPU this runs on."""


@helper()
def get_numa_node_id() -> i64:
    """Number of the NUMA node this runs on."""


@helper()
def get_prandom_u32() -> u32:
    """A pseudo-random number; not for secrets."""


@helper()
def send_signal(sig: u32) -> i64:
    """Send signal `sig` to the running process."""


@helper()
def send_signal_thread(sig: u32) -> i64:
    """Send signal `sig` to the running thread."""


@helper()
def find_vma(task: Kernel, addr: u64, callback_fn: Callback, callback_ctx: Mem | None, flags: u64) -> i64:
    """Call `callback_fn(task, vma, callback_ctx)` with the memory area that holds `addr`."""


@helper()
def bprm_opts_set(bprm: Kernel, flags: u64) -> i64:
    """Set options of the program that is being executed; flag 1 asks for secure-exec mode."""


@helper()
def ima_inode_hash(inode: Kernel, dst: Out, size: u32) -> i64:
    """Copy the integrity measurement of an inode to `dst`; gives the hash algorithm."""


@helper()
def ima_file_hash(file: Kernel, dst: Out, size: u32) -> i64:
    """Measure a file if need be and copy its hash to `dst`; gives the hash algorithm."""
