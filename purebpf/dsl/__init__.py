"""The vocabulary a user's program is written in: types, maps, hooks, words. Light, inert, fully typed.

User programs import it (through `purebpf`); `frontend` gives its objects meaning by identity. Nothing here compiles,
loads or touches a kernel; using a word as plain Python raises NotInKernel.
"""

from .flow import (
    atomic_add as atomic_add, boot_ns as boot_ns,
)
from .flow import (
    cpu as cpu,
)
from .flow import (
    current_comm as current_comm,
)
from .flow import (
    current_gid as current_gid,
)
from .flow import (
    current_pid as current_pid,
)
from .flow import (
    current_task as current_task,
)
from .flow import (
    current_tid as current_tid,
)
from .flow import (
    current_uid as current_uid,
)
from .flow import (
    field_exists as field_exists,
)
from .flow import (
    ktime_ns as ktime_ns,
)
from .flow import (
    printk as printk,
)
from .flow import (
    random_u32 as random_u32,
)
from .flow import (
    type_exists as type_exists,
)
from .globals import Const as Const
from .globals import Global as Global
from .hooks import (
    cgroup_skb as cgroup_skb,
)
from .hooks import (
    fentry as fentry,
)
from .hooks import (
    fexit as fexit,
)
from .hooks import (
    func as func,
)
from .hooks import (
    kprobe as kprobe,
)
from .hooks import (
    kretprobe as kretprobe,
)
from .hooks import (
    lsm as lsm,
)
from .hooks import (
    perf_event as perf_event,
)
from .hooks import (
    raw_tracepoint as raw_tracepoint,
)
from .hooks import (
    section as section,
)
from .hooks import (
    sock_ops as sock_ops,
)
from .hooks import (
    socket_filter as socket_filter,
)
from .hooks import (
    syscall as syscall,
)
from .hooks import (
    tc as tc,
)
from .hooks import (
    tcx as tcx,
)
from .hooks import (
    tp_btf as tp_btf,
)
from .hooks import (
    tracepoint as tracepoint,
)
from .hooks import (
    uprobe as uprobe,
)
from .hooks import (
    uretprobe as uretprobe,
)
from .hooks import (
    xdp as xdp,
)
from .ints import (
    be16 as be16,
)
from .ints import (
    be32 as be32,
)
from .ints import (
    be64 as be64,
)
from .ints import (
    char as char,
)
from .ints import (
    i8 as i8,
)
from .ints import (
    i16 as i16,
)
from .ints import (
    i32 as i32,
)
from .ints import (
    i64 as i64,
)
from .ints import (
    u8 as u8,
)
from .ints import (
    u16 as u16,
)
from .ints import (
    u32 as u32,
)
from .ints import (
    u64 as u64,
)
from .maps import (
    Array as Array,
)
from .maps import (
    HashMap as HashMap,
)
from .maps import (
    LpmTrie as LpmTrie,
)
from .maps import (
    LruHash as LruHash,
)
from .maps import (
    LruPerCpuHash as LruPerCpuHash,
)
from .maps import (
    PerCpuArray as PerCpuArray,
)
from .maps import (
    PerCpuHash as PerCpuHash,
)
from .maps import (
    PerfEventArray as PerfEventArray,
)
from .maps import (
    ProgArray as ProgArray,
)
from .maps import (
    Queue as Queue,
)
from .maps import (
    RingBuf as RingBuf,
)
from .maps import (
    Stack as Stack,
)
from .memory import Ptr as Ptr
from .memory import kernel_struct as kernel_struct
from .memory import sizeof as sizeof
from .memory import struct as struct
from .memory import union as union
