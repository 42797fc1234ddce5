"""The public names, as a snapshot; and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import purebpf

NAMES = """
ANY Array ArrayOfMaps AttachError BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB BPF_SOCK_OPS_BASE_RTT BPF_SOCK_OPS_HDR_OPT_LEN_CB
BPF_SOCK_OPS_NEEDS_ECN BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG BPF_SOCK_OPS_PARSE_HDR_OPT_CB
BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB BPF_SOCK_OPS_RETRANS_CB
BPF_SOCK_OPS_RETRANS_CB_FLAG BPF_SOCK_OPS_RTO_CB BPF_SOCK_OPS_RTO_CB_FLAG BPF_SOCK_OPS_RTT_CB BPF_SOCK_OPS_RTT_CB_FLAG
BPF_SOCK_OPS_RWND_INIT BPF_SOCK_OPS_STATE_CB BPF_SOCK_OPS_STATE_CB_FLAG BPF_SOCK_OPS_TCP_CONNECT_CB
BPF_SOCK_OPS_TCP_LISTEN_CB BPF_SOCK_OPS_TIMEOUT_INIT BPF_SOCK_OPS_VOID BPF_SOCK_OPS_WRITE_HDR_OPT_CB
BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG BPF_TCP_BOUND_INACTIVE BPF_TCP_CLOSE BPF_TCP_CLOSE_WAIT BPF_TCP_CLOSING
BPF_TCP_ESTABLISHED BPF_TCP_FIN_WAIT1 BPF_TCP_FIN_WAIT2 BPF_TCP_LAST_ACK BPF_TCP_LISTEN BPF_TCP_NEW_SYN_RECV BPF_TCP_SYN_RECV
BPF_TCP_SYN_SENT BPF_TCP_TIME_WAIT BloomFilter CompileError Const DeviceContext EACCES EADDRNOTAVAIL EAGAIN EBUSY
ECONNREFUSED EEXIST EFAULT EINTR EINVAL ENOENT ENOMEM ENOSPC EOPNOTSUPP EPERM ERANGE ESRCH EXIST F_CURRENT_CPU
F_FAST_STACK_CMP F_INGRESS F_LOCK F_REUSE_STACKID F_USER_STACK FormatError Global HashMap HashOfMaps KernelError KeyMissing
LpmTrie LruHash LruPerCpuHash NF_ACCEPT NF_DROP NOEXIST NetfilterContext NfAction NotInKernel NotSupported ObjectSpec
Packet PerCpuArray PerCpuHash PerfEventArray PerfEventContext ProbeContext ProgArray Ptr PureBpfError Queue RB_FORCE_WAKEUP
RB_NO_WAKEUP RawTracepointContext RingBuf RunResult SK_DROP SK_PASS SkAction SkLookupContext SkMsgContext SkReuseportContext
SockAddrContext SockContext SockOpsContext SockoptContext SpinLock Stack SysctlContext Timer WorkQueue ResSpinLock Kptr TCX_DROP TCX_NEXT TCX_PASS
TCX_REDIRECT TC_ACT_OK TC_ACT_PIPE TC_ACT_QUEUED TC_ACT_RECLASSIFY TC_ACT_REDIRECT TC_ACT_REPEAT TC_ACT_SHOT TC_ACT_STOLEN
TC_ACT_TRAP TC_ACT_UNSPEC TcAction TcContext TcxAction VerifierError VmFault XDP_ABORTED XDP_DROP XDP_PASS XDP_REDIRECT
XDP_TX XdpAction XdpContext addr atomic_add be16 be32 be64 boot_ns build cdef cgroup_bind4 cgroup_bind6 cgroup_connect4
cgroup_connect6 cgroup_connect_unix cgroup_dev cgroup_getpeername4 cgroup_getpeername6 cgroup_getpeername_unix
cgroup_getsockname4 cgroup_getsockname6 cgroup_getsockname_unix cgroup_getsockopt cgroup_post_bind4 cgroup_post_bind6
cgroup_recvmsg4 cgroup_recvmsg6 cgroup_recvmsg_unix cgroup_sendmsg4 cgroup_sendmsg6 cgroup_sendmsg_unix cgroup_setsockopt
Histogram changes flame_graph cgroup_skb cgroup_sock_create cgroup_sock_release cgroup_sysctl char container_of cpu cstr user current_comm current_gid
current_pid current_task current_tid current_uid enum_exists enum_value fentry fexit field_exists field_size flow_dissector
fmod_ret freplace from_c func helpers htonl htons i16 i32 i64 i8 ip4 ip6 irq_off iter kernel_struct kfunc kprobe kprobe_multi
kretprobe kretprobe_multi kretsyscall ksym ksyscall ktime_ns link links lirc_mode2 load loop lsm lsm_cgroup lwt_in lwt_out lwt_seg6local lwt_xmit
mac maps module_programs net netfilter ntohl ntohs offsetof open_link open_map open_program perf_event preempt_off printk
programs random_u32 raw_tracepoint rcu section seq_print sizeof sk_lookup sk_msg sk_reuseport sk_skb sock_ops socket_filter struct
syscall tc tcx tp_btf tracepoint type_exists type_matches type_size u16 u32 u64 u8 union uprobe uprobe_multi uretprobe
uretprobe_multi usdt wait xdp
CgroupArray CgroupStorage CpuMap DevMap DevMapHash InodeStorage ReusePortArray SkStorage SockHash SockMap StackTrace TaskStorage XskMap
"""


def test_public_names() -> None:
    assert sorted(purebpf.__all__, key=str) == sorted(NAMES.split())


def test_every_public_name_is_there() -> None:
    for name in purebpf.__all__:
        assert getattr(purebpf, name) is not None


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*[m for m in sys.modules if m.startswith('purebpf')])"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_is_light() -> None:
    assert modules_after("import purebpf") == {"purebpf"}


def test_the_vocabulary_brings_no_compiler() -> None:
    rooms = {m.split(".")[1] for m in modules_after("from purebpf import HashMap, xdp, u32") if "." in m}
    assert rooms <= {"dsl", "errors", "order", "uapi"}


def test_a_prebuilt_object_needs_no_compiler() -> None:
    rooms = {m.split(".")[1] for m in modules_after("from purebpf.loader import load; import purebpf.elf") if "." in m}
    assert not rooms & {"frontend", "opt", "codegen", "compiler", "ir"}
