"""Contexts as annotations: `def program(ctx: XdpContext)`, so that editors know the fields.

Written by tools/gen_contexts.py from uapi/contexts.py. A field in network order is the number that it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from .layout import StructType

if TYPE_CHECKING:
    from .ints import u8
    from .memory import Ptr
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
    packet: Packet
    """A cursor over the packet."""
    data: Ptr[u8]
    """Where the packet begins."""
    data_end: Ptr[u8]
    """Where it ends."""
    data_meta: Ptr[u8]
    """Where the bytes before the packet begin."""
    ingress_ifindex: int
    """The interface that it came in by."""
    rx_queue_index: int
    """The queue that it came in by."""
    egress_ifindex: int
    """The interface that it leaves by."""


class TcContext(ContextType):
    """struct __sk_buff, of tc, tcx, socket filter, cgroup_skb, sk_skb, flow dissector and lwt programs."""

    row = "__sk_buff"
    packet: Packet
    """A cursor over the packet."""
    len: int
    """Bytes of the packet."""
    pkt_type: int
    """To us, to all, to another host."""
    mark: int
    """The mark of routing and of the firewall, writable by some programs."""
    queue_mapping: int
    """The queue that it is sent by, writable by some programs."""
    protocol: int
    """The EtherType, or the IP protocol of a socket, 2 bytes, in network order at rest."""
    vlan_present: int
    """Has it a VLAN tag?."""
    vlan_tci: int
    """Priority and id of the VLAN."""
    vlan_proto: int
    """EtherType of the VLAN tag, 2 bytes, in network order at rest."""
    priority: int
    """Priority of queueing, writable by some programs."""
    ingress_ifindex: int
    """The interface that it came in by."""
    ifindex: int
    """The interface it is at."""
    tc_index: int
    """Index for classifiers, writable by some programs."""
    cb: list[int]
    """Words that programs of one packet share, writable by some programs."""
    hash: int
    """Hash of the flow."""
    tc_classid: int
    """Class that a classifier chose, writable by some programs."""
    data: Ptr[u8]
    """Where the packet begins."""
    data_end: Ptr[u8]
    """Where it ends."""
    napi_id: int
    """The instance of NAPI that received it."""
    family: int
    """AF_INET, AF_INET6, …."""
    remote_ip4: int
    """The other side's address, in network order at rest."""
    local_ip4: int
    """Our address, in network order at rest."""
    remote_ip6: list[int]
    """The other side's address, in network order at rest."""
    local_ip6: list[int]
    """Our address, in network order at rest."""
    remote_port: int
    """The other side's port, in network order at rest."""
    local_port: int
    """Our port."""
    data_meta: Ptr[u8]
    """Where the bytes before the packet begin."""
    flow_keys: Any
    """What the dissector finds, struct bpf_flow_keys."""
    tstamp: int
    """When it is to leave, or came, 8 bytes, writable by some programs."""
    wire_len: int
    """Bytes on the wire."""
    gso_segs: int
    """Segments that it will be."""
    sk: Any
    """Its socket, or None, struct bpf_sock."""
    gso_size: int
    """Bytes of a segment."""
    tstamp_type: int
    """The clock of tstamp, 1 bytes."""
    hwtstamp: int
    """The card's time, 8 bytes."""


class SockContext(ContextType):
    """struct bpf_sock, of cgroup_sock_create, cgroup_sock_release and cgroup_post_bind programs."""

    row = "bpf_sock"
    bound_dev_if: int
    """The interface it is bound to, writable by some programs."""
    family: int
    """AF_INET, AF_INET6, …."""
    type: int
    """SOCK_STREAM, SOCK_DGRAM, …."""
    protocol: int
    """The EtherType, or the IP protocol of a socket."""
    mark: int
    """The mark of routing and of the firewall, writable by some programs."""
    priority: int
    """Priority of queueing, writable by some programs."""
    src_ip4: int
    """Our address, in network order at rest."""
    src_ip6: list[int]
    """Our address, in network order at rest."""
    src_port: int
    """Our port."""
    dst_port: int
    """The other side's port, 2 bytes, in network order at rest."""
    dst_ip4: int
    """The other side's address, in network order at rest."""
    dst_ip6: list[int]
    """The other side's address, in network order at rest."""
    state: int
    """State of the connection."""
    rx_queue_mapping: int
    """The queue that it receives by."""


class SockAddrContext(ContextType):
    """struct bpf_sock_addr, of cgroup_connect4, cgroup_bind6 and the like."""

    row = "bpf_sock_addr"
    user_family: int
    """The family that the program asked for."""
    user_ip4: int
    """The address that the program asked for, in network order at rest, writable by some programs."""
    user_ip6: list[int]
    """The address that the program asked for, in network order at rest, writable by some programs."""
    user_port: int
    """The port that the program asked for, 2 bytes, in network order at rest, writable by some programs."""
    family: int
    """AF_INET, AF_INET6, …."""
    type: int
    """SOCK_STREAM, SOCK_DGRAM, …."""
    protocol: int
    """The EtherType, or the IP protocol of a socket."""
    msg_src_ip4: int
    """The address to send from, in network order at rest, writable by some programs."""
    msg_src_ip6: list[int]
    """The address to send from, in network order at rest, writable by some programs."""
    sk: Any
    """Its socket, or None, struct bpf_sock."""


class SockOpsContext(ContextType):
    """struct bpf_sock_ops, of sock_ops programs."""

    row = "bpf_sock_ops"
    op: int
    """What happened: BPF_SOCK_OPS_…."""
    args: list[int]
    """What belongs to it."""
    reply: int
    """The answer, writable by some programs."""
    replylong: list[int]
    """The answer, where it is longer, writable by some programs."""
    family: int
    """AF_INET, AF_INET6, …."""
    remote_ip4: int
    """The other side's address, in network order at rest."""
    local_ip4: int
    """Our address, in network order at rest."""
    remote_ip6: list[int]
    """The other side's address, in network order at rest."""
    local_ip6: list[int]
    """Our address, in network order at rest."""
    remote_port: int
    """The other side's port, in network order at rest."""
    local_port: int
    """Our port."""
    is_fullsock: int
    """Is it more than a request?."""
    snd_cwnd: int
    """Congestion window, in packets."""
    srtt_us: int
    """Smoothed round trip, in eighths of a microsecond."""
    bpf_sock_ops_cb_flags: int
    """What this program is called for."""
    state: int
    """State of the connection."""
    rtt_min: int
    """The shortest round trip."""
    snd_ssthresh: int
    """Threshold of slow start."""
    rcv_nxt: int
    """The sequence number expected next."""
    snd_nxt: int
    """The sequence number sent next."""
    snd_una: int
    """The first that is unacknowledged."""
    mss_cache: int
    """Bytes of a segment."""
    ecn_flags: int
    rate_delivered: int
    rate_interval_us: int
    packets_out: int
    """Segments on their way."""
    retrans_out: int
    """Of these, sent again."""
    total_retrans: int
    """All sent again."""
    segs_in: int
    """Segments received."""
    data_segs_in: int
    segs_out: int
    """Segments sent."""
    data_segs_out: int
    lost_out: int
    """Segments lost."""
    sacked_out: int
    """Segments acknowledged selectively."""
    sk_txhash: int
    """Hash for choosing a path, writable by some programs."""
    bytes_received: int
    """Bytes received, 8 bytes."""
    bytes_acked: int
    """Bytes acknowledged, 8 bytes."""
    sk: Any
    """Its socket, or None, struct bpf_sock."""
    skb_data: Ptr[u8]
    """Where the packet begins."""
    skb_data_end: Ptr[u8]
    """Where it ends."""
    skb_len: int
    """Bytes of the packet."""
    skb_tcp_flags: int
    """TCP flags of the packet."""
    skb_hwtstamp: int
    """8 bytes."""


class SockoptContext(ContextType):
    """struct bpf_sockopt, of cgroup_getsockopt and cgroup_setsockopt programs."""

    row = "bpf_sockopt"
    sk: Any
    """Its socket, or None, struct bpf_sock."""
    optval: Ptr[u8]
    """Where the option begins."""
    optval_end: Ptr[u8]
    """Where it ends."""
    level: int
    """SOL_SOCKET, IPPROTO_TCP, …, writable by some programs."""
    optname: int
    """SO_…, TCP_…, writable by some programs."""
    optlen: int
    """Bytes of the option, writable by some programs."""
    retval: int
    """What the kernel answered, writable by some programs."""


class SysctlContext(ContextType):
    """struct bpf_sysctl, of cgroup_sysctl programs."""

    row = "bpf_sysctl"
    write: int
    """Is it written, not read?."""
    file_pos: int
    """Place in the file, writable by some programs."""


class DeviceContext(ContextType):
    """struct bpf_cgroup_dev_ctx, of cgroup_dev programs."""

    row = "bpf_cgroup_dev_ctx"
    access_type: int
    """BPF_DEVCG_…."""
    major: int
    """The device's major number."""
    minor: int
    """The device's minor number."""


class SkMsgContext(ContextType):
    """struct sk_msg_md, of sk_msg programs."""

    row = "sk_msg_md"
    packet: Packet
    """A cursor over the packet."""
    data: Ptr[u8]
    """Where the packet begins."""
    data_end: Ptr[u8]
    """Where it ends."""
    family: int
    """AF_INET, AF_INET6, …."""
    remote_ip4: int
    """The other side's address, in network order at rest."""
    local_ip4: int
    """Our address, in network order at rest."""
    remote_ip6: list[int]
    """The other side's address, in network order at rest."""
    local_ip6: list[int]
    """Our address, in network order at rest."""
    remote_port: int
    """The other side's port, in network order at rest."""
    local_port: int
    """Our port."""
    size: int
    """Bytes of the message."""
    sk: Any
    """Its socket, or None, struct bpf_sock."""


class SkLookupContext(ContextType):
    """struct bpf_sk_lookup, of sk_lookup programs."""

    row = "bpf_sk_lookup"
    sk: Any
    """Its socket, or None, struct bpf_sock."""
    cookie: int
    """Of the socket that sent it, 8 bytes."""
    family: int
    """AF_INET, AF_INET6, …."""
    protocol: int
    """The EtherType, or the IP protocol of a socket."""
    remote_ip4: int
    """The other side's address, in network order at rest."""
    remote_ip6: list[int]
    """The other side's address, in network order at rest."""
    remote_port: int
    """The other side's port, 2 bytes, in network order at rest."""
    local_ip4: int
    """Our address, in network order at rest."""
    local_ip6: list[int]
    """Our address, in network order at rest."""
    local_port: int
    """Our port."""
    ingress_ifindex: int
    """The interface that it came in by."""


class SkReuseportContext(ContextType):
    """struct sk_reuseport_md, of sk_reuseport programs."""

    row = "sk_reuseport_md"
    packet: Packet
    """A cursor over the packet."""
    data: Ptr[u8]
    """Where the packet begins."""
    data_end: Ptr[u8]
    """Where it ends."""
    len: int
    """Bytes of the packet."""
    eth_protocol: int
    """The EtherType, 2 bytes, in network order at rest."""
    ip_protocol: int
    """The IP protocol."""
    bind_inany: int
    """Are its sockets bound to any address?."""
    hash: int
    """Hash of the flow."""
    sk: Any
    """Its socket, or None, struct bpf_sock."""
    migrating_sk: Any
    """The socket that is replaced, struct bpf_sock."""


class NetfilterContext(ContextType):
    """struct bpf_nf_ctx, of netfilter programs."""

    row = "bpf_nf_ctx"
    state: Any
    """State of the connection, struct nf_hook_state."""
    skb: Any
    """The packet, struct sk_buff."""


class PerfEventContext(ContextType):
    """struct bpf_perf_event_data, of perf_event programs."""

    row = "bpf_perf_event_data"
    regs: Any
    """The registers, struct pt_regs."""
    sample_period: int
    """Events between two samples, 8 bytes."""
    addr: int
    """The address sampled, 8 bytes."""


class RawTracepointContext(ContextType):
    """struct bpf_raw_tracepoint_args, of raw_tracepoint programs."""

    row = "bpf_raw_tracepoint_args"
    args: list[int]
    """What belongs to it, 8 bytes."""


class ProbeContext(ContextType):
    """struct pt_regs, of kprobe, kretprobe, uprobe and uretprobe programs."""

    row = "pt_regs"
    ret: int
    """The function's result, when it returns."""
    ip: int
    regs: Any
    """The registers, by the machine's names."""

    def arg(self, number: int, /) -> int:
        """An argument of the function, by its number."""
        raise NotImplementedError


__all__ = [
    "ContextType", "DeviceContext", "NetfilterContext", "PerfEventContext", "ProbeContext", "RawTracepointContext",
    "SkLookupContext", "SkMsgContext", "SkReuseportContext", "SockAddrContext", "SockContext", "SockOpsContext",
    "SockoptContext", "SysctlContext", "TcContext", "XdpContext",
]
