"""Write eBPF in Python and run it where no LLVM is.

    import purebpf as bpf
    from purebpf import HashMap, u32, u64

    calls = HashMap[u32, u64](max_entries=10_240)

    @bpf.tracepoint("syscalls:sys_enter_openat")
    def on_openat(ctx):
        calls[bpf.current_pid()] += 1

    with bpf.load(on_openat) as k: ...

Public names are loaded on first use (PEP 562): importing this package imports no part of the compiler or the loader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import build as build, load as load, module_programs as module_programs
    from .dsl import (
        Array as Array, Const as Const, Global as Global, HashMap as HashMap, LpmTrie as LpmTrie, LruHash as LruHash,
        LruPerCpuHash as LruPerCpuHash, PerCpuArray as PerCpuArray, PerCpuHash as PerCpuHash,
        PerfEventArray as PerfEventArray, ProgArray as ProgArray, Ptr as Ptr, Queue as Queue, RingBuf as RingBuf,
        Stack as Stack, atomic_add as atomic_add, be16 as be16, be32 as be32, be64 as be64, boot_ns as boot_ns, cgroup_skb as cgroup_skb,
        char as char, cpu as cpu, current_comm as current_comm, current_gid as current_gid, current_pid as current_pid,
        current_task as current_task, current_tid as current_tid, current_uid as current_uid, fentry as fentry,
        fexit as fexit, field_exists as field_exists, func as func, i8 as i8, i16 as i16, i32 as i32, i64 as i64,
        kernel_struct as kernel_struct, kprobe as kprobe, kretprobe as kretprobe, ktime_ns as ktime_ns, lsm as lsm,
        perf_event as perf_event, printk as printk, random_u32 as random_u32, raw_tracepoint as raw_tracepoint,
        section as section, sizeof as sizeof, sock_ops as sock_ops, socket_filter as socket_filter, struct as struct,
        syscall as syscall, tc as tc, tcx as tcx, tp_btf as tp_btf, tracepoint as tracepoint, type_exists as type_exists,
        u8 as u8, u16 as u16, u32 as u32, u64 as u64, union as union, uprobe as uprobe, uretprobe as uretprobe,
        xdp as xdp,
    )
    from . import net as net
    from .dsl import helpers as helpers
    from .dsl.cdecl import cdef as cdef
    from .errors import (
        AttachError as AttachError, CompileError as CompileError, FormatError as FormatError,
        KernelError as KernelError, KeyMissing as KeyMissing, NotInKernel as NotInKernel, NotSupported as NotSupported,
        PureBpfError as PureBpfError, VerifierError as VerifierError, VmFault as VmFault,
    )
    from .objects import from_c as from_c, link as link
    from .spec import ObjectSpec as ObjectSpec, RunResult as RunResult

__version__ = "0.1.0"

_HOMES = {  # module -> the public names it holds
    "api": "build load module_programs",
    "dsl": "Array Const Global HashMap LpmTrie LruHash LruPerCpuHash PerCpuArray PerCpuHash PerfEventArray ProgArray "
    "Ptr Queue RingBuf Stack atomic_add be16 be32 be64 boot_ns cgroup_skb char cpu current_comm current_gid current_pid "
    "current_task current_tid current_uid fentry fexit field_exists func i8 i16 i32 i64 kernel_struct kprobe "
    "kretprobe ktime_ns lsm perf_event printk random_u32 raw_tracepoint section sizeof sock_ops socket_filter struct "
    "syscall tc tcx tp_btf tracepoint type_exists u8 u16 u32 u64 union uprobe uretprobe xdp",
    "dsl.cdecl": "cdef",
    "errors": "AttachError CompileError FormatError KernelError KeyMissing NotInKernel NotSupported PureBpfError "
    "VerifierError VmFault",
    "objects": "from_c link",
    "spec": "ObjectSpec RunResult",
}
_ROOMS = {"helpers": "dsl.helpers", "net": "net"}  # modules that are public under a short name
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_HOME_OF, *_ROOMS])


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _ROOMS:
        value: Any = import_module(f".{_ROOMS[name]}", __name__)
    elif name in _HOME_OF:
        value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
