"""The vocabulary a user's program is written in: types, maps, hooks, words. Light, inert, fully typed.

User programs import it (through `purebpf`); `frontend` gives its objects meaning by identity. Nothing here compiles,
loads or touches a kernel; using a word as plain Python raises NotInKernel.
"""

from __future__ import annotations

from .flow import (
    addr as addr, atomic_add as atomic_add, boot_ns as boot_ns, cpu as cpu, current_comm as current_comm,
    current_gid as current_gid, current_pid as current_pid, current_task as current_task, current_tid as current_tid,
    current_uid as current_uid, field_exists as field_exists, htonl as htonl, htons as htons, ktime_ns as ktime_ns,
    loop as loop, ntohl as ntohl, ntohs as ntohs, printk as printk, random_u32 as random_u32,
    type_exists as type_exists,
)
from .globals import (
    Const as Const, Global as Global,
)
from .hooks import (
    cgroup_skb as cgroup_skb, fentry as fentry, fexit as fexit, func as func, kprobe as kprobe,
    kretprobe as kretprobe, lsm as lsm, perf_event as perf_event, raw_tracepoint as raw_tracepoint,
    section as section, sock_ops as sock_ops, socket_filter as socket_filter, syscall as syscall, tc as tc,
    tcx as tcx, tp_btf as tp_btf, tracepoint as tracepoint, uprobe as uprobe, uretprobe as uretprobe, xdp as xdp,
)
from .ints import (
    be16 as be16, be32 as be32, be64 as be64, char as char, i16 as i16, i32 as i32, i64 as i64, i8 as i8, u16 as u16,
    u32 as u32, u64 as u64, u8 as u8,
)
from .maps import (
    Array as Array, ArrayOfMaps as ArrayOfMaps, HashMap as HashMap, HashOfMaps as HashOfMaps, LpmTrie as LpmTrie,
    LruHash as LruHash, LruPerCpuHash as LruPerCpuHash, PerCpuArray as PerCpuArray, PerCpuHash as PerCpuHash,
    PerfEventArray as PerfEventArray, ProgArray as ProgArray, Queue as Queue, RingBuf as RingBuf, Stack as Stack,
)
from .memory import (
    Ptr as Ptr, SpinLock as SpinLock, kernel_struct as kernel_struct, sizeof as sizeof, struct as struct,
    union as union,
)
