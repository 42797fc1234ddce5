"""Contexts as annotations: `def program(ctx: XdpContext)`, so that editors know the fields.

Written by tools/gen_contexts.py from uapi/contexts.py. A field in network order is the number that it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .layout import StructType

if TYPE_CHECKING:
    from .packet import Packet


class ContextType:
    """The base of all: `row` names the kernel's struct."""

    row: ClassVar[str] = ""
    __bpf_layout__: ClassVar[StructType]

    def __init_subclass__(cls) -> None:
        cls.__bpf_layout__ = StructType(cls.row, (), 0, 8)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class XdpContext(ContextType):
    """struct xdp_md, of XDP programs."""

    row = "xdp_md"
    packet: Packet  # a cursor over the packet
    data: Any
    data_end: Any
    data_meta: Any
    ingress_ifindex: int
    rx_queue_index: int
    egress_ifindex: int


class TcContext(ContextType):
    """struct __sk_buff, of tc, tcx, socket filter, cgroup_skb, sk_skb, flow dissector and lwt programs."""

    row = "__sk_buff"
    packet: Packet  # a cursor over the packet
    len: int
    pkt_type: int
    mark: int  # writable by some programs
    queue_mapping: int  # writable by some programs
    protocol: int  # 2 bytes, in network order at rest
    vlan_present: int
    vlan_tci: int
    vlan_proto: int  # 2 bytes, in network order at rest
    priority: int  # writable by some programs
    ingress_ifindex: int
    ifindex: int
    tc_index: int  # writable by some programs
    cb: list[int]  # writable by some programs
    hash: int
    tc_classid: int  # writable by some programs
    data: Any
    data_end: Any
    napi_id: int
    family: int
    remote_ip4: int  # in network order at rest
    local_ip4: int  # in network order at rest
    remote_ip6: list[int]  # in network order at rest
    local_ip6: list[int]  # in network order at rest
    remote_port: int  # in network order at rest
    local_port: int
    data_meta: Any
    flow_keys: Any  # struct bpf_flow_keys
    tstamp: int  # 8 bytes, writable by some programs
    wire_len: int
    gso_segs: int
    sk: Any  # struct bpf_sock
    gso_size: int
    tstamp_type: int  # 1 bytes
    hwtstamp: int  # 8 bytes


class SockContext(ContextType):
    """struct bpf_sock, of cgroup_sock_create, cgroup_sock_release and cgroup_post_bind programs."""

    row = "bpf_sock"
    bound_dev_if: int  # writable by some programs
    family: int
    type: int
    protocol: int
    mark: int  # writable by some programs
    priority: int  # writable by some programs
    src_ip4: int  # in network order at rest
    src_ip6: list[int]  # in network order at rest
    src_port: int
    dst_port: int  # 2 bytes, in network order at rest
    dst_ip4: int  # in network order at rest
    dst_ip6: list[int]  # in network order at rest
    state: int
    rx_queue_mapping: int


class SockAddrContext(ContextType):
    """struct bpf_sock_addr, of cgroup_connect4, cgroup_bind6 and the like."""

    row = "bpf_sock_addr"
    user_family: int
    user_ip4: int  # in network order at rest, writable by some programs
    user_ip6: list[int]  # in network order at rest, writable by some programs
    user_port: int  # 2 bytes, in network order at rest, writable by some programs
    family: int
    type: int
    protocol: int
    msg_src_ip4: int  # in network order at rest, writable by some programs
    msg_src_ip6: list[int]  # in network order at rest, writable by some programs
    sk: Any  # struct bpf_sock


class SockOpsContext(ContextType):
    """struct bpf_sock_ops, of sock_ops programs."""

    row = "bpf_sock_ops"
    op: int
    args: list[int]
    reply: int  # writable by some programs
    replylong: list[int]  # writable by some programs
    family: int
    remote_ip4: int  # in network order at rest
    local_ip4: int  # in network order at rest
    remote_ip6: list[int]  # in network order at rest
    local_ip6: list[int]  # in network order at rest
    remote_port: int  # in network order at rest
    local_port: int
    is_fullsock: int
    snd_cwnd: int
    srtt_us: int
    bpf_sock_ops_cb_flags: int
    state: int
    rtt_min: int
    snd_ssthresh: int
    rcv_nxt: int
    snd_nxt: int
    snd_una: int
    mss_cache: int
    ecn_flags: int
    rate_delivered: int
    rate_interval_us: int
    packets_out: int
    retrans_out: int
    total_retrans: int
    segs_in: int
    data_segs_in: int
    segs_out: int
    data_segs_out: int
    lost_out: int
    sacked_out: int
    sk_txhash: int  # writable by some programs
    bytes_received: int  # 8 bytes
    bytes_acked: int  # 8 bytes
    sk: Any  # struct bpf_sock
    skb_data: Any
    skb_data_end: Any
    skb_len: int
    skb_tcp_flags: int
    skb_hwtstamp: int  # 8 bytes


class SockoptContext(ContextType):
    """struct bpf_sockopt, of cgroup_getsockopt and cgroup_setsockopt programs."""

    row = "bpf_sockopt"
    sk: Any  # struct bpf_sock
    optval: Any
    optval_end: Any
    level: int  # writable by some programs
    optname: int  # writable by some programs
    optlen: int  # writable by some programs
    retval: int  # writable by some programs


class SysctlContext(ContextType):
    """struct bpf_sysctl, of cgroup_sysctl programs."""

    row = "bpf_sysctl"
    write: int
    file_pos: int  # writable by some programs


class DeviceContext(ContextType):
    """struct bpf_cgroup_dev_ctx, of cgroup_dev programs."""

    row = "bpf_cgroup_dev_ctx"
    access_type: int
    major: int
    minor: int


class SkMsgContext(ContextType):
    """struct sk_msg_md, of sk_msg programs."""

    row = "sk_msg_md"
    packet: Packet  # a cursor over the packet
    data: Any
    data_end: Any
    family: int
    remote_ip4: int  # in network order at rest
    local_ip4: int  # in network order at rest
    remote_ip6: list[int]  # in network order at rest
    local_ip6: list[int]  # in network order at rest
    remote_port: int  # in network order at rest
    local_port: int
    size: int
    sk: Any  # struct bpf_sock


class SkLookupContext(ContextType):
    """struct bpf_sk_lookup, of sk_lookup programs."""

    row = "bpf_sk_lookup"
    sk: Any  # struct bpf_sock
    cookie: int  # 8 bytes
    family: int
    protocol: int
    remote_ip4: int  # in network order at rest
    remote_ip6: list[int]  # in network order at rest
    remote_port: int  # 2 bytes, in network order at rest
    local_ip4: int  # in network order at rest
    local_ip6: list[int]  # in network order at rest
    local_port: int
    ingress_ifindex: int


class SkReuseportContext(ContextType):
    """struct sk_reuseport_md, of sk_reuseport programs."""

    row = "sk_reuseport_md"
    packet: Packet  # a cursor over the packet
    data: Any
    data_end: Any
    len: int
    eth_protocol: int  # 2 bytes, in network order at rest
    ip_protocol: int
    bind_inany: int
    hash: int
    sk: Any  # struct bpf_sock
    migrating_sk: Any  # struct bpf_sock


class NetfilterContext(ContextType):
    """struct bpf_nf_ctx, of netfilter programs."""

    row = "bpf_nf_ctx"
    state: Any  # struct nf_hook_state
    skb: Any  # struct sk_buff


class PerfEventContext(ContextType):
    """struct bpf_perf_event_data, of perf_event programs."""

    row = "bpf_perf_event_data"
    regs: Any  # struct pt_regs
    sample_period: int  # 8 bytes
    addr: int  # 8 bytes


class RawTracepointContext(ContextType):
    """struct bpf_raw_tracepoint_args, of raw_tracepoint programs."""

    row = "bpf_raw_tracepoint_args"
    args: list[int]  # 8 bytes


class ProbeContext(ContextType):
    """struct pt_regs, of kprobe, kretprobe, uprobe and uretprobe programs."""

    row = "pt_regs"
    ret: int  # the function's result, when it returns
    ip: int
    regs: Any

    def arg(self, number: int, /) -> int:
        """An argument of the function, by its number."""
        raise NotImplementedError


__all__ = [
    "ContextType", "DeviceContext", "NetfilterContext", "PerfEventContext", "ProbeContext", "RawTracepointContext",
    "SkLookupContext", "SkMsgContext", "SkReuseportContext", "SockAddrContext", "SockContext", "SockOpsContext",
    "SockoptContext", "SysctlContext", "TcContext", "XdpContext",
]
