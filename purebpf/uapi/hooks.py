"""Where a program can hang: one row per section name that libbpf knows, in its order of matching.

    pattern "xdp"       exactly this section name
    pattern "kprobe+"   "kprobe", or "kprobe/" and a target

From libbpf's section table (f7081a6b, July 2026). The context and the allowed results are the kernel's (verifier.c,
check_return_code); `default` is what a program returns when an `assert` of its own stops it: it fails closed
and visibly (XDP_ABORTED, TC_ACT_SHOT, a denial), and is 0 where nobody is to be let through.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from .enums import AttachType as A
from .enums import ProgFlag
from .enums import ProgType as P

SLEEPABLE: Final = ProgFlag.SLEEPABLE
FRAGS: Final = ProgFlag.XDP_HAS_FRAGS


class _Type(NamedTuple):
    """What all hooks of a program type share unless a row says otherwise."""

    context: str
    returns: tuple[int, int] | None = None
    default: int = 0


# Contexts are names of uapi/contexts.py, or one of
#   "args"        u64[]: the hooked function's arguments, typed by the kernel's BTF
#   "tracepoint"  the record that tracefs' format file describes
#   "iter"        struct bpf_iter__<target> of the kernel's BTF
#   "user"        whatever PROG_TEST_RUN is given
TYPES: Final = {
    P.SOCKET_FILTER: _Type("__sk_buff"),
    P.KPROBE: _Type("pt_regs"),
    P.SCHED_CLS: _Type("__sk_buff", default=2),
    P.SCHED_ACT: _Type("__sk_buff", default=2),
    P.TRACEPOINT: _Type("tracepoint"),
    P.XDP: _Type("xdp_md"),
    P.PERF_EVENT: _Type("bpf_perf_event_data"),
    P.CGROUP_SKB: _Type("__sk_buff", (0, 1)),
    P.CGROUP_SOCK: _Type("bpf_sock", (0, 1)),
    P.LWT_IN: _Type("__sk_buff"),
    P.LWT_OUT: _Type("__sk_buff"),
    P.LWT_XMIT: _Type("__sk_buff"),
    P.SOCK_OPS: _Type("bpf_sock_ops", (0, 1)),
    P.SK_SKB: _Type("__sk_buff"),
    P.CGROUP_DEVICE: _Type("bpf_cgroup_dev_ctx", (0, 1)),
    P.SK_MSG: _Type("sk_msg_md"),
    P.RAW_TRACEPOINT: _Type("bpf_raw_tracepoint_args"),
    P.CGROUP_SOCK_ADDR: _Type("bpf_sock_addr", (0, 1)),
    P.LWT_SEG6LOCAL: _Type("__sk_buff"),
    P.LIRC_MODE2: _Type("lirc_mode2"),
    P.SK_REUSEPORT: _Type("sk_reuseport_md"),
    P.FLOW_DISSECTOR: _Type("__sk_buff", default=129),
    P.CGROUP_SYSCTL: _Type("bpf_sysctl", (0, 1)),
    P.RAW_TRACEPOINT_WRITABLE: _Type("bpf_raw_tracepoint_args"),
    P.CGROUP_SOCKOPT: _Type("bpf_sockopt", (0, 1)),
    P.TRACING: _Type("args"),
    P.STRUCT_OPS: _Type("args"),
    P.EXT: _Type("args"),
    P.LSM: _Type("args", default=-1),
    P.SK_LOOKUP: _Type("bpf_sk_lookup", (0, 1)),
    P.SYSCALL: _Type("user"),
    P.NETFILTER: _Type("bpf_nf_ctx", (0, 1)),
}


class Hook:
    """One row.

    prog_type, attach_type  what PROG_LOAD is told; attach_type 0 without `has_attach_type`: it has none
    flags       of PROG_LOAD (uapi.enums.ProgFlag)
    context     what ctx points to
    returns     lowest and highest result that the verifier allows, None: any
    default     result of a program that an assert stops
    target      syntax of what follows "pattern/": "func" (name[+offset]), "path:func", "glob", "path:glob", "syscall",
                "usdt" (path:provider:name), "category/name", "name", "btf" ([module:]name), "any"; "": nothing may
                follow
    btf_prefix  of the kernel's BTF name of a "btf" target
    auto        attaches by itself when a target is given
    optional    kernels that do not know the attach type take such programs all the same
    """

    __slots__ = ("pattern", "prog_type", "attach_type", "has_attach_type", "flags", "context", "returns", "default",
                 "target", "btf_prefix", "auto", "optional")

    def __init__(self, pattern: str, prog_type: int, attach_type: int | None = None, *, flags: int = 0,
                 context: str = "", returns: tuple[int, int] | None = None, default: int | None = None, target: str = "",
                 btf_prefix: str = "", auto: bool = False, optional: bool = False) -> None:
        kind = TYPES[prog_type]
        self.pattern, self.prog_type, self.flags = pattern, prog_type, flags
        self.attach_type, self.has_attach_type = attach_type or 0, attach_type is not None
        self.context = context or kind.context
        self.returns = returns or kind.returns
        low = self.returns[0] if self.returns else None
        self.default = default if default is not None else max(kind.default, low) if low is not None else kind.default
        self.target, self.btf_prefix, self.auto, self.optional = target, btf_prefix, auto, optional

    @property
    def name(self) -> str:
        """The section name without target."""
        return self.pattern.rstrip("+")

    @property
    def sleepable(self) -> bool:
        return bool(self.flags & SLEEPABLE)

    def __repr__(self) -> str:
        return f"<Hook {self.pattern}>"


HOOKS: Final = (
    Hook("socket", P.SOCKET_FILTER),
    Hook("sk_reuseport/migrate", P.SK_REUSEPORT, A.SK_REUSEPORT_SELECT_OR_MIGRATE),
    Hook("sk_reuseport", P.SK_REUSEPORT, A.SK_REUSEPORT_SELECT),
    Hook("kprobe+", P.KPROBE, target="func", auto=True),
    Hook("uprobe+", P.KPROBE, target="path:func", auto=True),
    Hook("uprobe.s+", P.KPROBE, flags=SLEEPABLE, target="path:func", auto=True),
    Hook("kretprobe+", P.KPROBE, target="func", auto=True),
    Hook("uretprobe+", P.KPROBE, target="path:func", auto=True),
    Hook("uretprobe.s+", P.KPROBE, flags=SLEEPABLE, target="path:func", auto=True),
    Hook("kprobe.multi+", P.KPROBE, A.TRACE_KPROBE_MULTI, target="glob", auto=True),
    Hook("kretprobe.multi+", P.KPROBE, A.TRACE_KPROBE_MULTI, target="glob", auto=True),
    Hook("kprobe.session+", P.KPROBE, A.TRACE_KPROBE_SESSION, target="glob", auto=True, returns=(0, 1)),
    Hook("uprobe.multi+", P.KPROBE, A.TRACE_UPROBE_MULTI, target="path:glob", auto=True),
    Hook("uretprobe.multi+", P.KPROBE, A.TRACE_UPROBE_MULTI, target="path:glob", auto=True),
    Hook("uprobe.session+", P.KPROBE, A.TRACE_UPROBE_SESSION, target="path:glob", auto=True, returns=(0, 1)),
    Hook("uprobe.multi.s+", P.KPROBE, A.TRACE_UPROBE_MULTI, flags=SLEEPABLE, target="path:glob", auto=True),
    Hook("uretprobe.multi.s+", P.KPROBE, A.TRACE_UPROBE_MULTI, flags=SLEEPABLE, target="path:glob", auto=True),
    Hook("uprobe.session.s+", P.KPROBE, A.TRACE_UPROBE_SESSION, flags=SLEEPABLE, target="path:glob", auto=True,
         returns=(0, 1)),
    Hook("ksyscall+", P.KPROBE, target="syscall", auto=True),
    Hook("kretsyscall+", P.KPROBE, target="syscall", auto=True),
    Hook("usdt+", P.KPROBE, target="usdt", auto=True),
    Hook("usdt.s+", P.KPROBE, flags=SLEEPABLE, target="usdt", auto=True),
    Hook("tc/ingress", P.SCHED_CLS, A.TCX_INGRESS, default=-1, optional=True),
    Hook("tc/egress", P.SCHED_CLS, A.TCX_EGRESS, default=-1, optional=True),
    Hook("tcx/ingress", P.SCHED_CLS, A.TCX_INGRESS, default=-1),
    Hook("tcx/egress", P.SCHED_CLS, A.TCX_EGRESS, default=-1),
    Hook("tc", P.SCHED_CLS),
    Hook("classifier", P.SCHED_CLS),
    Hook("action", P.SCHED_ACT),
    Hook("netkit/primary", P.SCHED_CLS, A.NETKIT_PRIMARY, default=-1),
    Hook("netkit/peer", P.SCHED_CLS, A.NETKIT_PEER, default=-1),
    Hook("tracepoint+", P.TRACEPOINT, target="category/name", auto=True),
    Hook("tp+", P.TRACEPOINT, target="category/name", auto=True),
    Hook("tracepoint.s+", P.TRACEPOINT, flags=SLEEPABLE, target="category/name", auto=True),
    Hook("tp.s+", P.TRACEPOINT, flags=SLEEPABLE, target="category/name", auto=True),
    Hook("raw_tracepoint+", P.RAW_TRACEPOINT, target="name", auto=True),
    Hook("raw_tp+", P.RAW_TRACEPOINT, target="name", auto=True),
    Hook("raw_tracepoint.s+", P.RAW_TRACEPOINT, flags=SLEEPABLE, target="name", auto=True),
    Hook("raw_tp.s+", P.RAW_TRACEPOINT, flags=SLEEPABLE, target="name", auto=True),
    Hook("raw_tracepoint.w+", P.RAW_TRACEPOINT_WRITABLE, target="name", auto=True),
    Hook("raw_tp.w+", P.RAW_TRACEPOINT_WRITABLE, target="name", auto=True),
    Hook("tp_btf+", P.TRACING, A.TRACE_RAW_TP, target="btf", btf_prefix="btf_trace_", auto=True),
    Hook("tp_btf.s+", P.TRACING, A.TRACE_RAW_TP, flags=SLEEPABLE, target="btf", btf_prefix="btf_trace_", auto=True),
    Hook("fentry+", P.TRACING, A.TRACE_FENTRY, target="btf", auto=True, returns=(0, 0)),
    Hook("fmod_ret+", P.TRACING, A.MODIFY_RETURN, target="btf", auto=True),
    Hook("fexit+", P.TRACING, A.TRACE_FEXIT, target="btf", auto=True, returns=(0, 0)),
    Hook("fentry.s+", P.TRACING, A.TRACE_FENTRY, flags=SLEEPABLE, target="btf", auto=True, returns=(0, 0)),
    Hook("fmod_ret.s+", P.TRACING, A.MODIFY_RETURN, flags=SLEEPABLE, target="btf", auto=True),
    Hook("fexit.s+", P.TRACING, A.TRACE_FEXIT, flags=SLEEPABLE, target="btf", auto=True, returns=(0, 0)),
    Hook("fsession+", P.TRACING, A.TRACE_FSESSION, target="btf", auto=True, returns=(0, 1)),
    Hook("fsession.s+", P.TRACING, A.TRACE_FSESSION, flags=SLEEPABLE, target="btf", auto=True, returns=(0, 1)),
    Hook("fsession.multi+", P.TRACING, A.TRACE_FSESSION_MULTI, target="glob", auto=True, returns=(0, 1)),
    Hook("fsession.multi.s+", P.TRACING, A.TRACE_FSESSION_MULTI, flags=SLEEPABLE, target="glob", auto=True,
         returns=(0, 1)),
    Hook("fentry.multi+", P.TRACING, A.TRACE_FENTRY_MULTI, target="glob", auto=True, returns=(0, 0)),
    Hook("fexit.multi+", P.TRACING, A.TRACE_FEXIT_MULTI, target="glob", auto=True, returns=(0, 0)),
    Hook("fentry.multi.s+", P.TRACING, A.TRACE_FENTRY_MULTI, flags=SLEEPABLE, target="glob", auto=True, returns=(0, 0)),
    Hook("fexit.multi.s+", P.TRACING, A.TRACE_FEXIT_MULTI, flags=SLEEPABLE, target="glob", auto=True, returns=(0, 0)),
    Hook("freplace+", P.EXT, target="btf", auto=True),
    Hook("lsm+", P.LSM, A.LSM_MAC, target="btf", btf_prefix="bpf_lsm_", auto=True),
    Hook("lsm.s+", P.LSM, A.LSM_MAC, flags=SLEEPABLE, target="btf", btf_prefix="bpf_lsm_", auto=True),
    Hook("lsm_cgroup+", P.LSM, A.LSM_CGROUP, target="btf", btf_prefix="bpf_lsm_", returns=(0, 1), default=1),
    Hook("iter+", P.TRACING, A.TRACE_ITER, target="btf", btf_prefix="bpf_iter_", auto=True, returns=(0, 1),
         context="iter"),
    Hook("iter.s+", P.TRACING, A.TRACE_ITER, flags=SLEEPABLE, target="btf", btf_prefix="bpf_iter_", auto=True,
         returns=(0, 1), context="iter"),
    Hook("syscall", P.SYSCALL, flags=SLEEPABLE),
    Hook("xdp.frags/devmap", P.XDP, A.XDP_DEVMAP, flags=FRAGS),
    Hook("xdp/devmap", P.XDP, A.XDP_DEVMAP),
    Hook("xdp.frags/cpumap", P.XDP, A.XDP_CPUMAP, flags=FRAGS),
    Hook("xdp/cpumap", P.XDP, A.XDP_CPUMAP),
    Hook("xdp.frags", P.XDP, A.XDP, flags=FRAGS),
    Hook("xdp", P.XDP, A.XDP, optional=True),
    Hook("perf_event", P.PERF_EVENT),
    Hook("lwt_in", P.LWT_IN),
    Hook("lwt_out", P.LWT_OUT),
    Hook("lwt_xmit", P.LWT_XMIT),
    Hook("lwt_seg6local", P.LWT_SEG6LOCAL),
    Hook("sockops", P.SOCK_OPS, A.CGROUP_SOCK_OPS, optional=True),
    Hook("sk_skb/stream_parser", P.SK_SKB, A.SK_SKB_STREAM_PARSER, optional=True, default=0),
    Hook("sk_skb/stream_verdict", P.SK_SKB, A.SK_SKB_STREAM_VERDICT, optional=True),
    Hook("sk_skb/verdict", P.SK_SKB, A.SK_SKB_VERDICT, optional=True),
    Hook("sk_skb", P.SK_SKB),
    Hook("sk_msg", P.SK_MSG, A.SK_MSG_VERDICT, optional=True),
    Hook("lirc_mode2", P.LIRC_MODE2, A.LIRC_MODE2, optional=True),
    Hook("flow_dissector", P.FLOW_DISSECTOR, A.FLOW_DISSECTOR, optional=True),
    Hook("cgroup_skb/ingress", P.CGROUP_SKB, A.CGROUP_INET_INGRESS, optional=True),
    Hook("cgroup_skb/egress", P.CGROUP_SKB, A.CGROUP_INET_EGRESS, optional=True, returns=(0, 3)),
    Hook("cgroup/skb", P.CGROUP_SKB, returns=(0, 1)),
    Hook("cgroup/sock_create", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE),
    Hook("cgroup/sock_release", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_RELEASE),
    Hook("cgroup/sock", P.CGROUP_SOCK, A.CGROUP_INET_SOCK_CREATE, optional=True),
    Hook("cgroup/post_bind4", P.CGROUP_SOCK, A.CGROUP_INET4_POST_BIND),
    Hook("cgroup/post_bind6", P.CGROUP_SOCK, A.CGROUP_INET6_POST_BIND),
    Hook("cgroup/bind4", P.CGROUP_SOCK_ADDR, A.CGROUP_INET4_BIND, returns=(0, 3)),
    Hook("cgroup/bind6", P.CGROUP_SOCK_ADDR, A.CGROUP_INET6_BIND, returns=(0, 3)),
    Hook("cgroup/connect4", P.CGROUP_SOCK_ADDR, A.CGROUP_INET4_CONNECT),
    Hook("cgroup/connect6", P.CGROUP_SOCK_ADDR, A.CGROUP_INET6_CONNECT),
    Hook("cgroup/connect_unix", P.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_CONNECT),
    Hook("cgroup/sendmsg4", P.CGROUP_SOCK_ADDR, A.CGROUP_UDP4_SENDMSG),
    Hook("cgroup/sendmsg6", P.CGROUP_SOCK_ADDR, A.CGROUP_UDP6_SENDMSG),
    Hook("cgroup/sendmsg_unix", P.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_SENDMSG),
    Hook("cgroup/recvmsg4", P.CGROUP_SOCK_ADDR, A.CGROUP_UDP4_RECVMSG, returns=(1, 1)),
    Hook("cgroup/recvmsg6", P.CGROUP_SOCK_ADDR, A.CGROUP_UDP6_RECVMSG, returns=(1, 1)),
    Hook("cgroup/recvmsg_unix", P.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_RECVMSG, returns=(1, 1)),
    Hook("cgroup/getpeername4", P.CGROUP_SOCK_ADDR, A.CGROUP_INET4_GETPEERNAME, returns=(1, 1)),
    Hook("cgroup/getpeername6", P.CGROUP_SOCK_ADDR, A.CGROUP_INET6_GETPEERNAME, returns=(1, 1)),
    Hook("cgroup/getpeername_unix", P.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_GETPEERNAME, returns=(1, 1)),
    Hook("cgroup/getsockname4", P.CGROUP_SOCK_ADDR, A.CGROUP_INET4_GETSOCKNAME, returns=(1, 1)),
    Hook("cgroup/getsockname6", P.CGROUP_SOCK_ADDR, A.CGROUP_INET6_GETSOCKNAME, returns=(1, 1)),
    Hook("cgroup/getsockname_unix", P.CGROUP_SOCK_ADDR, A.CGROUP_UNIX_GETSOCKNAME, returns=(1, 1)),
    Hook("cgroup/sysctl", P.CGROUP_SYSCTL, A.CGROUP_SYSCTL),
    Hook("cgroup/getsockopt", P.CGROUP_SOCKOPT, A.CGROUP_GETSOCKOPT),
    Hook("cgroup/setsockopt", P.CGROUP_SOCKOPT, A.CGROUP_SETSOCKOPT),
    Hook("cgroup/dev", P.CGROUP_DEVICE, A.CGROUP_DEVICE, optional=True),
    Hook("struct_ops+", P.STRUCT_OPS, target="any"),
    Hook("struct_ops.s+", P.STRUCT_OPS, flags=SLEEPABLE, target="any"),
    Hook("sk_lookup", P.SK_LOOKUP, A.SK_LOOKUP),
    Hook("netfilter", P.NETFILTER, A.NETFILTER),
)

_EXACT: Final = {hook.name: hook for hook in reversed(HOOKS)}


def match(section: str) -> Hook | None:
    """The row of a section name (a leading "?" is ignored); None if libbpf does not know it."""
    section = section.removeprefix("?")
    exact = _EXACT.get(section)
    if exact is not None:
        return exact
    for hook in HOOKS:
        if hook.target and section.startswith(hook.name + "/"):
            return hook
    return None


def called(section: str) -> str:
    """A section's name without its target, "kprobe" of "kprobe/tcp_connect"."""
    hook = match(section)
    return hook.name if hook is not None else section


WITHOUT_KPROBES: Final = {"ksyscall": "tracepoint/syscalls/sys_enter_", "kretsyscall": "tracepoint/syscalls/sys_exit_"}


def placed(section: str, lacks: Collection[str]) -> str:
    """The section, or the one of what sees the same where the kernel was built without what it takes."""
    instead = WITHOUT_KPROBES.get(called(section)) if "kprobe" in lacks else None
    return section if instead is None or not target(section) else instead + target(section)


def target(section: str) -> str:
    """What a section name asks to attach to: "sys_enter_openat" of "raw_tp/sys_enter_openat"; "" if nothing."""
    hook = match(section)
    return section.removeprefix("?")[len(hook.name) + 1:] if hook is not None else ""


def autoload(section: str) -> bool:
    """False for names that begin with "?": load only when asked to."""
    return not section.startswith("?")
