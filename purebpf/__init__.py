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
        cgroup_sock_create as cgroup_sock_create, cgroup_sock_release as cgroup_sock_release,
        cgroup_post_bind4 as cgroup_post_bind4, cgroup_post_bind6 as cgroup_post_bind6,
        cgroup_bind4 as cgroup_bind4, cgroup_bind6 as cgroup_bind6, cgroup_connect4 as cgroup_connect4,
        cgroup_connect6 as cgroup_connect6, cgroup_connect_unix as cgroup_connect_unix,
        cgroup_sendmsg4 as cgroup_sendmsg4, cgroup_sendmsg6 as cgroup_sendmsg6,
        cgroup_sendmsg_unix as cgroup_sendmsg_unix, cgroup_recvmsg4 as cgroup_recvmsg4,
        cgroup_recvmsg6 as cgroup_recvmsg6, cgroup_recvmsg_unix as cgroup_recvmsg_unix,
        cgroup_getpeername4 as cgroup_getpeername4, cgroup_getpeername6 as cgroup_getpeername6,
        cgroup_getpeername_unix as cgroup_getpeername_unix, cgroup_getsockname4 as cgroup_getsockname4,
        cgroup_getsockname6 as cgroup_getsockname6, cgroup_getsockname_unix as cgroup_getsockname_unix,
        cgroup_sysctl as cgroup_sysctl, cgroup_getsockopt as cgroup_getsockopt,
        cgroup_setsockopt as cgroup_setsockopt, cgroup_dev as cgroup_dev, sk_msg as sk_msg, sk_skb as sk_skb,
        sk_lookup as sk_lookup, sk_reuseport as sk_reuseport, flow_dissector as flow_dissector,
        netfilter as netfilter, lwt_in as lwt_in, lwt_out as lwt_out, lwt_xmit as lwt_xmit,
        lwt_seg6local as lwt_seg6local, lirc_mode2 as lirc_mode2, fmod_ret as fmod_ret, freplace as freplace,
        lsm_cgroup as lsm_cgroup, kprobe_multi as kprobe_multi, kretprobe_multi as kretprobe_multi,
        uprobe_multi as uprobe_multi, uretprobe_multi as uretprobe_multi,
        Array as Array, ArrayOfMaps as ArrayOfMaps, BloomFilter as BloomFilter, Const as Const, Global as Global, HashMap as HashMap, HashOfMaps as HashOfMaps, LpmTrie as LpmTrie, LruHash as LruHash,
        LruPerCpuHash as LruPerCpuHash, PerCpuArray as PerCpuArray, PerCpuHash as PerCpuHash,
        PerfEventArray as PerfEventArray, ProgArray as ProgArray, Ptr as Ptr, Queue as Queue, RingBuf as RingBuf,
        SpinLock as SpinLock, Stack as Stack, Timer as Timer, WorkQueue as WorkQueue, ResSpinLock as ResSpinLock, Kptr as Kptr, addr as addr, atomic_add as atomic_add, be16 as be16, be32 as be32, be64 as be64, boot_ns as boot_ns, cgroup_skb as cgroup_skb,
        char as char, cpu as cpu, cstr as cstr, user as user, current_comm as current_comm, current_gid as current_gid, current_pid as current_pid,
        current_task as current_task, current_tid as current_tid, current_uid as current_uid, fentry as fentry,
        fexit as fexit, field_exists as field_exists, func as func, hex as hex, htonl as htonl, htons as htons, i8 as i8, i16 as i16, i32 as i32, i64 as i64,
        ip4 as ip4, ip6 as ip6, ksym as ksym, mac as mac,
        kernel_struct as kernel_struct, kprobe as kprobe, kretprobe as kretprobe, ktime_ns as ktime_ns, loop as loop, lsm as lsm,
        ntohl as ntohl, ntohs as ntohs,
        perf_event as perf_event, printk as printk, random_u32 as random_u32, raw_tracepoint as raw_tracepoint,
        section as section, sizeof as sizeof, sock_ops as sock_ops, socket_filter as socket_filter, struct as struct,
        syscall as syscall, tc as tc, tcx as tcx, tp_btf as tp_btf, tracepoint as tracepoint, type_exists as type_exists,
        u8 as u8, u16 as u16, u32 as u32, u64 as u64, union as union, uprobe as uprobe, uretprobe as uretprobe,
        xdp as xdp, kfunc as kfunc, iter as iter, field_size as field_size, type_size as type_size,
        type_matches as type_matches, enum_value as enum_value, enum_exists as enum_exists, offsetof as offsetof,
        container_of as container_of, rcu as rcu, seq_print as seq_print, ksyscall as ksyscall, kretsyscall as kretsyscall, usdt as usdt,
        preempt_off as preempt_off, irq_off as irq_off,
        CgroupArray as CgroupArray, CgroupStorage as CgroupStorage, CpuMap as CpuMap, DevMap as DevMap, DevMapHash as DevMapHash, InodeStorage as InodeStorage,
        ReusePortArray as ReusePortArray, SkStorage as SkStorage, SockHash as SockHash, SockMap as SockMap, StackTrace as StackTrace, TaskStorage as TaskStorage, XskMap as XskMap,
    )
    from . import net as net
    from .dsl import helpers as helpers
    from .dsl.cdecl import cdef as cdef
    from .dsl.contexts import (
        DeviceContext as DeviceContext, NetfilterContext as NetfilterContext, PerfEventContext as PerfEventContext,
        ProbeContext as ProbeContext, RawTracepointContext as RawTracepointContext,
        SkLookupContext as SkLookupContext, SkMsgContext as SkMsgContext, SkReuseportContext as SkReuseportContext,
        SockAddrContext as SockAddrContext, SockContext as SockContext, SockOpsContext as SockOpsContext,
        SockoptContext as SockoptContext, SysctlContext as SysctlContext, TcContext as TcContext,
        XdpContext as XdpContext,
    )
    from .dsl.packet import Packet as Packet
    from .errors import (
        AttachError as AttachError, CompileError as CompileError, FormatError as FormatError,
        KernelError as KernelError, KeyMissing as KeyMissing, NotInKernel as NotInKernel, NotSupported as NotSupported,
        PureBpfError as PureBpfError, VerifierError as VerifierError, VmFault as VmFault,
    )
    from .loader.handle import open_link as open_link, open_map as open_map, open_program as open_program
    from .loader.listed import links as links, maps as maps, programs as programs
    from .loader.object import wait as wait
    from .objects import from_c as from_c, link as link
    from .readings.flame import flame_graph as flame_graph
    from .readings.histogram import Histogram as Histogram
    from .readings.table import changes as changes
    from .spec import ObjectSpec as ObjectSpec, RunResult as RunResult
    from .uapi.actions import (
        NfAction as NfAction, SkAction as SkAction, TcAction as TcAction, TcxAction as TcxAction, XdpAction as XdpAction,
    )
    from .uapi.names import (
        XDP_ABORTED as XDP_ABORTED, XDP_DROP as XDP_DROP, XDP_PASS as XDP_PASS, XDP_TX as XDP_TX,
        XDP_REDIRECT as XDP_REDIRECT, TC_ACT_UNSPEC as TC_ACT_UNSPEC, TC_ACT_OK as TC_ACT_OK,
        TC_ACT_RECLASSIFY as TC_ACT_RECLASSIFY, TC_ACT_SHOT as TC_ACT_SHOT, TC_ACT_PIPE as TC_ACT_PIPE,
        TC_ACT_STOLEN as TC_ACT_STOLEN, TC_ACT_QUEUED as TC_ACT_QUEUED, TC_ACT_REPEAT as TC_ACT_REPEAT,
        TC_ACT_REDIRECT as TC_ACT_REDIRECT, TC_ACT_TRAP as TC_ACT_TRAP, TCX_NEXT as TCX_NEXT, TCX_PASS as TCX_PASS,
        TCX_DROP as TCX_DROP, TCX_REDIRECT as TCX_REDIRECT, SK_DROP as SK_DROP, SK_PASS as SK_PASS,
        NF_DROP as NF_DROP, NF_ACCEPT as NF_ACCEPT, EPERM as EPERM, ENOENT as ENOENT, ESRCH as ESRCH, EINTR as EINTR,
        EAGAIN as EAGAIN, ENOMEM as ENOMEM, EACCES as EACCES, EFAULT as EFAULT, EBUSY as EBUSY, EEXIST as EEXIST,
        EINVAL as EINVAL, ENOSPC as ENOSPC, ERANGE as ERANGE, EOPNOTSUPP as EOPNOTSUPP,
        EADDRNOTAVAIL as EADDRNOTAVAIL, ECONNREFUSED as ECONNREFUSED, ANY as ANY, NOEXIST as NOEXIST, EXIST as EXIST,
        F_LOCK as F_LOCK, F_INGRESS as F_INGRESS, F_CURRENT_CPU as F_CURRENT_CPU, F_USER_STACK as F_USER_STACK,
        F_FAST_STACK_CMP as F_FAST_STACK_CMP, F_REUSE_STACKID as F_REUSE_STACKID, RB_NO_WAKEUP as RB_NO_WAKEUP,
        RB_FORCE_WAKEUP as RB_FORCE_WAKEUP, BPF_SOCK_OPS_VOID as BPF_SOCK_OPS_VOID,
        BPF_SOCK_OPS_TIMEOUT_INIT as BPF_SOCK_OPS_TIMEOUT_INIT, BPF_SOCK_OPS_RWND_INIT as BPF_SOCK_OPS_RWND_INIT,
        BPF_SOCK_OPS_TCP_CONNECT_CB as BPF_SOCK_OPS_TCP_CONNECT_CB,
        BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB as BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB,
        BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB as BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB,
        BPF_SOCK_OPS_NEEDS_ECN as BPF_SOCK_OPS_NEEDS_ECN, BPF_SOCK_OPS_BASE_RTT as BPF_SOCK_OPS_BASE_RTT,
        BPF_SOCK_OPS_RTO_CB as BPF_SOCK_OPS_RTO_CB, BPF_SOCK_OPS_RETRANS_CB as BPF_SOCK_OPS_RETRANS_CB,
        BPF_SOCK_OPS_STATE_CB as BPF_SOCK_OPS_STATE_CB, BPF_SOCK_OPS_TCP_LISTEN_CB as BPF_SOCK_OPS_TCP_LISTEN_CB,
        BPF_SOCK_OPS_RTT_CB as BPF_SOCK_OPS_RTT_CB,
        BPF_SOCK_OPS_PARSE_HDR_OPT_CB as BPF_SOCK_OPS_PARSE_HDR_OPT_CB,
        BPF_SOCK_OPS_HDR_OPT_LEN_CB as BPF_SOCK_OPS_HDR_OPT_LEN_CB,
        BPF_SOCK_OPS_WRITE_HDR_OPT_CB as BPF_SOCK_OPS_WRITE_HDR_OPT_CB,
        BPF_SOCK_OPS_RTO_CB_FLAG as BPF_SOCK_OPS_RTO_CB_FLAG,
        BPF_SOCK_OPS_RETRANS_CB_FLAG as BPF_SOCK_OPS_RETRANS_CB_FLAG,
        BPF_SOCK_OPS_STATE_CB_FLAG as BPF_SOCK_OPS_STATE_CB_FLAG,
        BPF_SOCK_OPS_RTT_CB_FLAG as BPF_SOCK_OPS_RTT_CB_FLAG,
        BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG as BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG,
        BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG as BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG,
        BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG as BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG,
        BPF_TCP_ESTABLISHED as BPF_TCP_ESTABLISHED, BPF_TCP_SYN_SENT as BPF_TCP_SYN_SENT,
        BPF_TCP_SYN_RECV as BPF_TCP_SYN_RECV, BPF_TCP_FIN_WAIT1 as BPF_TCP_FIN_WAIT1,
        BPF_TCP_FIN_WAIT2 as BPF_TCP_FIN_WAIT2, BPF_TCP_TIME_WAIT as BPF_TCP_TIME_WAIT,
        BPF_TCP_CLOSE as BPF_TCP_CLOSE, BPF_TCP_CLOSE_WAIT as BPF_TCP_CLOSE_WAIT,
        BPF_TCP_LAST_ACK as BPF_TCP_LAST_ACK, BPF_TCP_LISTEN as BPF_TCP_LISTEN, BPF_TCP_CLOSING as BPF_TCP_CLOSING,
        BPF_TCP_NEW_SYN_RECV as BPF_TCP_NEW_SYN_RECV, BPF_TCP_BOUND_INACTIVE as BPF_TCP_BOUND_INACTIVE,
    )

__version__ = "0.1.0"

_HOMES = {  # module -> the public names it holds
    "api": "build load module_programs",
    "dsl": "cgroup_sock_create cgroup_sock_release cgroup_post_bind4 cgroup_post_bind6 cgroup_bind4 cgroup_bind6 "
    "cgroup_connect4 cgroup_connect6 cgroup_connect_unix cgroup_sendmsg4 cgroup_sendmsg6 cgroup_sendmsg_unix "
    "cgroup_recvmsg4 cgroup_recvmsg6 cgroup_recvmsg_unix cgroup_getpeername4 cgroup_getpeername6 "
    "cgroup_getpeername_unix cgroup_getsockname4 cgroup_getsockname6 cgroup_getsockname_unix cgroup_sysctl "
    "cgroup_getsockopt cgroup_setsockopt cgroup_dev sk_msg sk_skb sk_lookup sk_reuseport flow_dissector "
    "netfilter lwt_in lwt_out lwt_xmit lwt_seg6local lirc_mode2 fmod_ret freplace lsm_cgroup kprobe_multi "
    "kretprobe_multi uprobe_multi uretprobe_multi ksyscall kretsyscall usdt "
    "Array ArrayOfMaps BloomFilter Const Global HashMap HashOfMaps LpmTrie LruHash LruPerCpuHash PerCpuArray PerCpuHash PerfEventArray ProgArray "
    "Ptr Queue RingBuf SpinLock Stack Timer WorkQueue ResSpinLock Kptr addr atomic_add be16 be32 be64 boot_ns cgroup_skb char cpu cstr user current_comm current_gid current_pid "
    "current_task current_tid current_uid enum_exists enum_value fentry fexit field_exists field_size func hex htonl htons i8 i16 i32 "
    "i64 ip4 ip6 irq_off iter kernel_struct kfunc kprobe kretprobe ksym ktime_ns loop lsm mac ntohl ntohs offsetof container_of "
    "perf_event preempt_off printk random_u32 raw_tracepoint rcu section seq_print sizeof sock_ops socket_filter struct syscall tc tcx tp_btf "
    "tracepoint type_exists type_matches type_size u8 u16 u32 u64 union uprobe uretprobe xdp "
    "CgroupArray CgroupStorage CpuMap DevMap DevMapHash InodeStorage ReusePortArray SkStorage SockHash SockMap StackTrace TaskStorage XskMap",
    "dsl.cdecl": "cdef",
    "dsl.contexts": "DeviceContext NetfilterContext PerfEventContext ProbeContext RawTracepointContext SkLookupContext "
    "SkMsgContext SkReuseportContext SockAddrContext SockContext SockOpsContext SockoptContext SysctlContext "
    "TcContext XdpContext",
    "dsl.packet": "Packet",
    "errors": "AttachError CompileError FormatError KernelError KeyMissing NotInKernel NotSupported PureBpfError "
    "VerifierError VmFault",
    "loader.handle": "open_link open_map open_program",
    "loader.listed": "links maps programs",
    "loader.object": "wait",
    "objects": "from_c link",
    "readings.flame": "flame_graph",
    "readings.histogram": "Histogram",
    "readings.table": "changes",
    "spec": "ObjectSpec RunResult",
    "uapi.actions": "NfAction SkAction TcAction TcxAction XdpAction",
    "uapi.names": "XDP_ABORTED XDP_DROP XDP_PASS XDP_TX XDP_REDIRECT TC_ACT_UNSPEC TC_ACT_OK TC_ACT_RECLASSIFY TC_ACT_SHOT "
    "TC_ACT_PIPE TC_ACT_STOLEN TC_ACT_QUEUED TC_ACT_REPEAT TC_ACT_REDIRECT TC_ACT_TRAP TCX_NEXT TCX_PASS "
    "TCX_DROP TCX_REDIRECT SK_DROP SK_PASS NF_DROP NF_ACCEPT EPERM ENOENT ESRCH EINTR EAGAIN ENOMEM EACCES "
    "EFAULT EBUSY EEXIST EINVAL ENOSPC ERANGE EOPNOTSUPP EADDRNOTAVAIL ECONNREFUSED ANY NOEXIST EXIST F_LOCK "
    "F_INGRESS F_CURRENT_CPU F_USER_STACK F_FAST_STACK_CMP F_REUSE_STACKID RB_NO_WAKEUP RB_FORCE_WAKEUP "
    "BPF_SOCK_OPS_VOID BPF_SOCK_OPS_TIMEOUT_INIT BPF_SOCK_OPS_RWND_INIT BPF_SOCK_OPS_TCP_CONNECT_CB "
    "BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB BPF_SOCK_OPS_NEEDS_ECN "
    "BPF_SOCK_OPS_BASE_RTT BPF_SOCK_OPS_RTO_CB BPF_SOCK_OPS_RETRANS_CB BPF_SOCK_OPS_STATE_CB "
    "BPF_SOCK_OPS_TCP_LISTEN_CB BPF_SOCK_OPS_RTT_CB "
    "BPF_SOCK_OPS_PARSE_HDR_OPT_CB BPF_SOCK_OPS_HDR_OPT_LEN_CB BPF_SOCK_OPS_WRITE_HDR_OPT_CB "
    "BPF_SOCK_OPS_RTO_CB_FLAG BPF_SOCK_OPS_RETRANS_CB_FLAG BPF_SOCK_OPS_STATE_CB_FLAG BPF_SOCK_OPS_RTT_CB_FLAG "
    "BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG "
    "BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG BPF_TCP_ESTABLISHED BPF_TCP_SYN_SENT BPF_TCP_SYN_RECV BPF_TCP_FIN_WAIT1 "
    "BPF_TCP_FIN_WAIT2 BPF_TCP_TIME_WAIT BPF_TCP_CLOSE BPF_TCP_CLOSE_WAIT BPF_TCP_LAST_ACK BPF_TCP_LISTEN "
    "BPF_TCP_CLOSING BPF_TCP_NEW_SYN_RECV BPF_TCP_BOUND_INACTIVE",
}
_ROOMS = {"helpers": "dsl.helpers", "net": "net"}  # modules that are public under a short name
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted({*_HOME_OF, *_ROOMS} - {"hex"})  # `from purebpf import *` leaves Python's own hex() alone


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
    return sorted({*globals(), *_HOME_OF, *_ROOMS})
