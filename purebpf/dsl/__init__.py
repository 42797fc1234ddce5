"""The vocabulary a user's program is written in: types, maps, hooks, words. Light, inert, fully typed.

User programs import it (through `purebpf`); `frontend` gives its objects meaning by identity. Nothing here compiles,
loads or touches a kernel; using a word as plain Python raises NotInKernel.
"""

from __future__ import annotations

from .fields import Kptr as Kptr, Timer as Timer, WorkQueue as WorkQueue
from .flow import (
    addr as addr, atomic_add as atomic_add, boot_ns as boot_ns, cpu as cpu, cstr as cstr, user as user, current_comm as current_comm,
    current_gid as current_gid, current_pid as current_pid, current_task as current_task, current_tid as current_tid,
    current_uid as current_uid, field_exists as field_exists, htonl as htonl, htons as htons, ktime_ns as ktime_ns,
    loop as loop, ntohl as ntohl, ntohs as ntohs, printk as printk, seq_print as seq_print, random_u32 as random_u32,
    type_exists as type_exists, field_size as field_size, type_size as type_size, type_matches as type_matches,
    enum_value as enum_value, enum_exists as enum_exists, offsetof as offsetof, container_of as container_of, rcu as rcu,
    preempt_off as preempt_off, irq_off as irq_off,
)
from .globals import (
    Const as Const, Global as Global,
)
from .hooks import (
    cgroup_sock_create as cgroup_sock_create, cgroup_sock_release as cgroup_sock_release,
    cgroup_post_bind4 as cgroup_post_bind4, cgroup_post_bind6 as cgroup_post_bind6, cgroup_bind4 as cgroup_bind4,
    cgroup_bind6 as cgroup_bind6, cgroup_connect4 as cgroup_connect4, cgroup_connect6 as cgroup_connect6,
    cgroup_connect_unix as cgroup_connect_unix, cgroup_sendmsg4 as cgroup_sendmsg4,
    cgroup_sendmsg6 as cgroup_sendmsg6, cgroup_sendmsg_unix as cgroup_sendmsg_unix,
    cgroup_recvmsg4 as cgroup_recvmsg4, cgroup_recvmsg6 as cgroup_recvmsg6,
    cgroup_recvmsg_unix as cgroup_recvmsg_unix, cgroup_getpeername4 as cgroup_getpeername4,
    cgroup_getpeername6 as cgroup_getpeername6, cgroup_getpeername_unix as cgroup_getpeername_unix,
    cgroup_getsockname4 as cgroup_getsockname4, cgroup_getsockname6 as cgroup_getsockname6,
    cgroup_getsockname_unix as cgroup_getsockname_unix, cgroup_sysctl as cgroup_sysctl,
    cgroup_getsockopt as cgroup_getsockopt, cgroup_setsockopt as cgroup_setsockopt, cgroup_dev as cgroup_dev,
    sk_msg as sk_msg, sk_skb as sk_skb, sk_lookup as sk_lookup, sk_reuseport as sk_reuseport,
    flow_dissector as flow_dissector, netfilter as netfilter, lwt_in as lwt_in, lwt_out as lwt_out,
    lwt_xmit as lwt_xmit, lwt_seg6local as lwt_seg6local, lirc_mode2 as lirc_mode2, fmod_ret as fmod_ret,
    freplace as freplace, lsm_cgroup as lsm_cgroup, kprobe_multi as kprobe_multi,
    kretprobe_multi as kretprobe_multi, kretsyscall as kretsyscall, ksyscall as ksyscall, usdt as usdt, uprobe_multi as uprobe_multi, uretprobe_multi as uretprobe_multi,
    cgroup_skb as cgroup_skb, fentry as fentry, fexit as fexit, func as func, kprobe as kprobe,
    kretprobe as kretprobe, lsm as lsm, perf_event as perf_event, raw_tracepoint as raw_tracepoint,
    iter as iter, section as section, sock_ops as sock_ops, socket_filter as socket_filter, syscall as syscall, tc as tc,
    tcx as tcx, tp_btf as tp_btf, tracepoint as tracepoint, uprobe as uprobe, uretprobe as uretprobe, xdp as xdp,
)
from .ints import (
    be16 as be16, be32 as be32, be64 as be64, char as char, i16 as i16, i32 as i32, i64 as i64, i8 as i8, u16 as u16,
    u32 as u32, u64 as u64, u8 as u8,
)
from .kernel import kfunc as kfunc
from .maps import (
    Array as Array, ArrayOfMaps as ArrayOfMaps, BloomFilter as BloomFilter, HashMap as HashMap, HashOfMaps as HashOfMaps, LpmTrie as LpmTrie,
    LruHash as LruHash, LruPerCpuHash as LruPerCpuHash, PerCpuArray as PerCpuArray, PerCpuHash as PerCpuHash,
    PerfEventArray as PerfEventArray, ProgArray as ProgArray, Queue as Queue, RingBuf as RingBuf, Stack as Stack,
)
from .memory import (
    Ptr as Ptr, ResSpinLock as ResSpinLock, SpinLock as SpinLock, kernel_struct as kernel_struct, sizeof as sizeof, struct as struct,
    union as union,
)
from .redirects import (
    CgroupArray as CgroupArray, CpuMap as CpuMap, DevMap as DevMap, DevMapHash as DevMapHash, ReusePortArray as ReusePortArray,
    SockHash as SockHash, SockMap as SockMap, StackTrace as StackTrace, XskMap as XskMap,
)
from .storages import CgroupStorage as CgroupStorage, InodeStorage as InodeStorage, SkStorage as SkStorage, TaskStorage as TaskStorage
from .text import hex as hex, ip4 as ip4, ip6 as ip6, ksym as ksym, mac as mac
