"""What `ctx` points to, as programs see it: the fields of each context and what the verifier makes of loading one.

The verifier rewrites these loads, so the layout is an agreement, not memory: a 4-byte field may yield a packet pointer.
Each struct is written as one text, a word per field, in order of offset:

    name:size        `size` bytes, aligned to it                 x5   five elements
    w  some program type may store to it                         n    in network byte order
    h  its first two bytes are, the others are 0: a number of 16 bits
    d e m  yields a pointer to packet data, end, meta data       p=S  yields a pointer to S, which may be NULL
    @n  at offset n, where it does not simply follow

From the UAPI headers (6.18) and the *_is_valid_access functions; offsets are tested against the kernel's BTF.
"""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from .enums import ProgType


class Field(NamedTuple):
    """`size` is an element's, in bytes; `elems` 1 unless an array. `kind`: "int", "packet", "packet_end",
    "packet_meta" or "ptr", then `target` names what it points to. `writable`: by at least one program type.
    `big_endian`: in network order, all of it or (`half`) a number of two bytes in a field of four."""

    name: str
    offset: int
    size: int
    kind: str = "int"
    writable: bool = False
    elems: int = 1
    target: str = ""
    big_endian: bool = False
    half: bool = False


class Context:
    """A struct by name: `size` in bytes, `fields` by name in order of offset."""

    __slots__ = ("name", "size", "fields")

    def __init__(self, name: str, size: int, fields: dict[str, Field]) -> None:
        self.name, self.size, self.fields = name, size, fields

    def __repr__(self) -> str:
        return f"<Context {self.name}>"


_KINDS: Final = {"d": "packet", "e": "packet_end", "m": "packet_meta", "p": "ptr"}

# name -> (size, text)
_TEXTS: Final = {
    "xdp_md": (24, "data:4d data_end:4e data_meta:4m ingress_ifindex:4 rx_queue_index:4 egress_ifindex:4"),
    "__sk_buff": (192, """
        len:4 pkt_type:4 mark:4w queue_mapping:4w protocol:4h vlan_present:4 vlan_tci:4 vlan_proto:4h priority:4w
        ingress_ifindex:4 ifindex:4 tc_index:4w cb:4x5w hash:4 tc_classid:4w data:4d data_end:4e napi_id:4 family:4
        remote_ip4:4n local_ip4:4n remote_ip6:4x4n local_ip6:4x4n remote_port:4n local_port:4 data_meta:4m
        flow_keys:8p=bpf_flow_keys tstamp:8w wire_len:4 gso_segs:4 sk:8p=bpf_sock gso_size:4 tstamp_type:1
        hwtstamp:8"""),
    "bpf_perf_event_data": (184, "regs:168@0p=pt_regs sample_period:8@168 addr:8"),
    "bpf_raw_tracepoint_args": (96, "args:8x12"),
    "bpf_sock_addr": (72, """
        user_family:4 user_ip4:4wn user_ip6:4x4wn user_port:4wh family:4 type:4 protocol:4 msg_src_ip4:4wn
        msg_src_ip6:4x4wn sk:8p=bpf_sock"""),
    "bpf_sock_ops": (224, """
        op:4 args:4x4 reply:4@4w replylong:4x4@4w family:4@20 remote_ip4:4n local_ip4:4n remote_ip6:4x4n local_ip6:4x4n
        remote_port:4n local_port:4 is_fullsock:4 snd_cwnd:4 srtt_us:4 bpf_sock_ops_cb_flags:4 state:4 rtt_min:4
        snd_ssthresh:4 rcv_nxt:4 snd_nxt:4 snd_una:4 mss_cache:4 ecn_flags:4 rate_delivered:4 rate_interval_us:4
        packets_out:4 retrans_out:4 total_retrans:4 segs_in:4 data_segs_in:4 segs_out:4 data_segs_out:4 lost_out:4
        sacked_out:4 sk_txhash:4w bytes_received:8 bytes_acked:8 sk:8p=bpf_sock skb_data:8d skb_data_end:8e skb_len:4
        skb_tcp_flags:4 skb_hwtstamp:8"""),
    "sk_msg_md": (80, """
        data:8d data_end:8e family:4 remote_ip4:4n local_ip4:4n remote_ip6:4x4n local_ip6:4x4n remote_port:4n
        local_port:4 size:4 sk:8p=bpf_sock"""),
    "bpf_sockopt": (40, "sk:8p=bpf_sock optval:8d optval_end:8e level:4w optname:4w optlen:4w retval:4w"),
    "bpf_sysctl": (8, "write:4 file_pos:4w"),
    "bpf_sk_lookup": (72, """
        sk:8p=bpf_sock cookie:8@0 family:4@8 protocol:4 remote_ip4:4n remote_ip6:4x4n remote_port:2n local_ip4:4@40n
        local_ip6:4x4n local_port:4 ingress_ifindex:4"""),
    "sk_reuseport_md": (56, """
        data:8d data_end:8e len:4 eth_protocol:4h ip_protocol:4 bind_inany:4 hash:4 sk:8p=bpf_sock
        migrating_sk:8p=bpf_sock"""),
    "bpf_sock": (80, """
        bound_dev_if:4w family:4 type:4 protocol:4 mark:4w priority:4w src_ip4:4n src_ip6:4x4n src_port:4 dst_port:2n
        dst_ip4:4@52n dst_ip6:4x4n state:4 rx_queue_mapping:4"""),
    "bpf_cgroup_dev_ctx": (12, "access_type:4 major:4 minor:4"),
    "bpf_nf_ctx": (16, "state:8p=nf_hook_state skb:8p=sk_buff"),
    "lirc_mode2": (4, "sample:4"),
    "bpf_flow_keys": (56, """
        nhoff:2w thoff:2w addr_proto:2w is_frag:1w is_first_frag:1w is_encap:1w ip_proto:1w n_proto:2wn sport:2wn
        dport:2wn ipv4_src:4wn ipv4_dst:4wn ipv6_src:4x4@16wn ipv6_dst:4x4wn flags:4w flow_label:4wn"""),
    "bpf_tcp_sock": (112, """
        snd_cwnd:4 srtt_us:4 rtt_min:4 snd_ssthresh:4 rcv_nxt:4 snd_nxt:4 snd_una:4 mss_cache:4 ecn_flags:4
        rate_delivered:4 rate_interval_us:4 packets_out:4 retrans_out:4 total_retrans:4 segs_in:4 data_segs_in:4
        segs_out:4 data_segs_out:4 lost_out:4 sacked_out:4 bytes_received:8 bytes_acked:8 dsack_dups:4 delivered:4
        delivered_ce:4 icsk_retransmits:4"""),
    "bpf_xdp_sock": (4, "queue_id:4"),
}

# What not every program with a context may load: program types -> fields, from the kernel's *_is_valid_access.
_HIDDEN: Final = {
    "SOCKET_FILTER": "data data_end data_meta tc_classid tstamp wire_len hwtstamp flow_keys",
    "CGROUP_SKB": "data_meta tc_classid wire_len flow_keys",
    "LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB": "data_meta tc_classid tstamp wire_len hwtstamp flow_keys",
    "SK_SKB": "mark",
    "CGROUP_SKB SOCKET_FILTER LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB": "tstamp_type",
    "SOCKET_FILTER SCHED_CLS SCHED_ACT LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL":
        "family remote_ip4 local_ip4 remote_ip6 local_ip6 remote_port local_port",
    "SCHED_CLS SCHED_ACT": "flow_keys",
}
HIDDEN: Final = {(getattr(ProgType, type), name) for types, names in _HIDDEN.items() for type in types.split() for name in names.split()}

# What kprobes and perf events call ctx, by machine: the kernel's struct pt_regs.
_PT_REGS: Final = {
    "x86_64": (168, """
        r15:8 r14:8 r13:8 r12:8 bp:8 bx:8 r11:8 r10:8 r9:8 r8:8 ax:8 cx:8 dx:8 si:8 di:8 orig_ax:8 ip:8 cs:2 csx:8@136
        flags:8 sp:8 ss:2 ssx:8@160"""),
    "aarch64": (272, "regs:8x31 sp:8 pc:8 pstate:8"),
}


class Calling(NamedTuple):
    """Where a function's arguments, its result, the stack and code pointers are in pt_regs: (field, element)."""

    args: tuple[tuple[str, int], ...]
    syscall_args: tuple[tuple[str, int], ...]
    result: tuple[str, int]
    frame: tuple[str, int]
    stack: tuple[str, int]
    code: tuple[str, int]


CALLING: Final = {
    "x86_64": Calling(
        args=(("di", 0), ("si", 0), ("dx", 0), ("cx", 0), ("r8", 0), ("r9", 0)),
        syscall_args=(("di", 0), ("si", 0), ("dx", 0), ("r10", 0), ("r8", 0), ("r9", 0)),
        result=("ax", 0), frame=("bp", 0), stack=("sp", 0), code=("ip", 0)),
    "aarch64": Calling(
        args=tuple(("regs", i) for i in range(8)), syscall_args=tuple(("regs", i) for i in range(6)),
        result=("regs", 0), frame=("regs", 29), stack=("sp", 0), code=("pc", 0)),
}

NAMES: Final = (*_TEXTS, "pt_regs")


def machine() -> str:
    """The machine this runs on, as in os.uname()."""
    return os.uname().machine


def context(name: str, machine_name: str = "") -> Context | None:
    """The context called `name`; the machine (this one, if none is named) matters for pt_regs alone. None if there is none."""
    size, text = _PT_REGS.get(machine_name or machine(), (0, "")) if name == "pt_regs" else _TEXTS.get(name, (0, ""))
    if not size:
        return None
    fields: dict[str, Field] = {}
    at = 0
    for word in text.split():
        one = _field(word, at)
        at = one.offset + one.size * one.elems
        fields[one.name] = one
    return Context(name, size, fields)


def _field(word: str, at: int) -> Field:
    """One word of a text; `at` is the end of the field before."""
    word, _, pointee = word.partition("=")
    name, _, rest = word.partition(":")
    flags = rest.lstrip("0123456789x@")
    numbers, _, place = rest[:len(rest) - len(flags)].partition("@")
    size, _, count = numbers.partition("x")
    align = int(size)
    offset = int(place) if place else at + -at % align
    kind = next((_KINDS[f] for f in flags if f in _KINDS), "int")
    return Field(name, offset, align, kind, "w" in flags, int(count or 1), pointee, "n" in flags or "h" in flags, "h" in flags)

# Pointers of contexts that may be None.
ABSENT: Final = frozenset((("__sk_buff", "sk"), ("bpf_sock_ops", "sk"), ("bpf_sk_lookup", "sk"), ("sk_reuseport_md", "migrating_sk")))
# Those to sockets that need not be full ones; and the fields that only full ones have (bpf_sock_common_is_valid_access).
COMMON: Final = frozenset((("__sk_buff", "sk"), ("sk_reuseport_md", "migrating_sk")))
FULL: Final = ("type", "protocol", "mark", "priority")
