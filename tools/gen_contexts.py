"""Writes purebpf/dsl/contexts.py: the classes to annotate `ctx` with, from the table of contexts."""

from __future__ import annotations

from pathlib import Path

from purebpf.uapi import contexts

CLASSES = {  # class -> (row, programs)
    "XdpContext": ("xdp_md", "XDP programs"),
    "TcContext": ("__sk_buff", "tc, tcx, socket filter, cgroup_skb, sk_skb, flow dissector and lwt programs"),
    "SockContext": ("bpf_sock", "cgroup_sock_create, cgroup_sock_release and cgroup_post_bind programs"),
    "SockAddrContext": ("bpf_sock_addr", "cgroup_connect4, cgroup_bind6 and the like"),
    "SockOpsContext": ("bpf_sock_ops", "sock_ops programs"),
    "SockoptContext": ("bpf_sockopt", "cgroup_getsockopt and cgroup_setsockopt programs"),
    "SysctlContext": ("bpf_sysctl", "cgroup_sysctl programs"),
    "DeviceContext": ("bpf_cgroup_dev_ctx", "cgroup_dev programs"),
    "SkMsgContext": ("sk_msg_md", "sk_msg programs"),
    "SkLookupContext": ("bpf_sk_lookup", "sk_lookup programs"),
    "SkReuseportContext": ("sk_reuseport_md", "sk_reuseport programs"),
    "NetfilterContext": ("bpf_nf_ctx", "netfilter programs"),
    "PerfEventContext": ("bpf_perf_event_data", "perf_event programs"),
    "RawTracepointContext": ("bpf_raw_tracepoint_args", "raw_tracepoint programs"),
    "ProbeContext": ("pt_regs", "kprobe, kretprobe, uprobe and uretprobe programs"),
}
DOCS = {  # what a field is, where its name does not say it
    "data": "where the packet begins", "data_end": "where it ends", "data_meta": "where the bytes before the packet begin",
    "ingress_ifindex": "the interface that it came in by", "rx_queue_index": "the queue that it came in by",
    "egress_ifindex": "the interface that it leaves by", "len": "bytes of the packet", "pkt_type": "to us, to all, to another host",
    "mark": "the mark of routing and of the firewall", "queue_mapping": "the queue that it is sent by",
    "protocol": "the EtherType, or the IP protocol of a socket", "vlan_present": "has it a VLAN tag?", "vlan_tci": "priority and id of the VLAN",
    "vlan_proto": "EtherType of the VLAN tag", "priority": "priority of queueing", "ifindex": "the interface it is at",
    "tc_index": "index for classifiers", "cb": "words that programs of one packet share", "hash": "hash of the flow",
    "tc_classid": "class that a classifier chose", "napi_id": "the instance of NAPI that received it", "family": "AF_INET, AF_INET6, …",
    "remote_ip4": "the other side's address", "local_ip4": "our address", "remote_ip6": "the other side's address",
    "local_ip6": "our address", "remote_port": "the other side's port", "local_port": "our port", "flow_keys": "what the dissector finds",
    "tstamp": "when it is to leave, or came", "wire_len": "bytes on the wire", "gso_segs": "segments that it will be", "sk": "its socket, or None",
    "gso_size": "bytes of a segment", "tstamp_type": "the clock of tstamp", "hwtstamp": "the card's time", "bound_dev_if": "the interface it is bound to",
    "type": "SOCK_STREAM, SOCK_DGRAM, …", "src_ip4": "our address", "src_ip6": "our address", "src_port": "our port",
    "dst_port": "the other side's port", "dst_ip4": "the other side's address", "dst_ip6": "the other side's address",
    "state": "state of the connection", "rx_queue_mapping": "the queue that it receives by", "user_family": "the family that the program asked for",
    "user_ip4": "the address that the program asked for", "user_ip6": "the address that the program asked for",
    "user_port": "the port that the program asked for", "msg_src_ip4": "the address to send from", "msg_src_ip6": "the address to send from",
    "op": "what happened: BPF_SOCK_OPS_…", "args": "what belongs to it", "reply": "the answer", "replylong": "the answer, where it is longer",
    "is_fullsock": "is it more than a request?", "snd_cwnd": "congestion window, in packets", "srtt_us": "smoothed round trip, in eighths of a microsecond",
    "bpf_sock_ops_cb_flags": "what this program is called for", "rtt_min": "the shortest round trip", "snd_ssthresh": "threshold of slow start",
    "rcv_nxt": "the sequence number expected next", "snd_nxt": "the sequence number sent next", "snd_una": "the first that is unacknowledged",
    "mss_cache": "bytes of a segment", "packets_out": "segments on their way", "retrans_out": "of these, sent again", "total_retrans": "all sent again",
    "segs_in": "segments received", "segs_out": "segments sent", "lost_out": "segments lost", "sacked_out": "segments acknowledged selectively",
    "sk_txhash": "hash for choosing a path", "bytes_received": "bytes received", "bytes_acked": "bytes acknowledged", "skb_data": "where the packet begins",
    "skb_data_end": "where it ends", "skb_len": "bytes of the packet", "skb_tcp_flags": "TCP flags of the packet", "optval": "where the option begins",
    "optval_end": "where it ends", "level": "SOL_SOCKET, IPPROTO_TCP, …", "optname": "SO_…, TCP_…", "optlen": "bytes of the option",
    "retval": "what the kernel answered", "write": "is it written, not read?", "file_pos": "place in the file", "access_type": "BPF_DEVCG_…",
    "major": "the device's major number", "minor": "the device's minor number", "size": "bytes of the message", "cookie": "of the socket that sent it",
    "eth_protocol": "the EtherType", "ip_protocol": "the IP protocol", "bind_inany": "are its sockets bound to any address?",
    "migrating_sk": "the socket that is replaced", "regs": "the registers", "sample_period": "events between two samples", "addr": "the address sampled",
    "skb": "the packet",
}
HEAD = '''"""Contexts as annotations: `def program(ctx: XdpContext)`, so that editors know the fields.

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
'''


def text() -> str:
    out = [HEAD]
    for name, (row, programs) in CLASSES.items():
        out.append(f'\n\nclass {name}(ContextType):\n    """struct {row}, of {programs}."""\n\n    row = "{row}"\n')
        found = contexts.context(row)
        assert found is not None
        if row == "pt_regs":
            out.append("    ret: int\n    \"\"\"The function's result, when it returns.\"\"\"\n    ip: int\n    regs: Any\n    \"\"\"The registers, by the machine's names.\"\"\"\n\n"
                       "    def arg(self, number: int, /) -> int:\n"
                       '        """An argument of the function, by its number."""\n        raise NotImplementedError\n')
            continue
        if "data" in found.fields:
            out.append("    packet: Packet\n    \"\"\"A cursor over the packet.\"\"\"\n")
        out += [f"    {f.name}: {kind(f)}\n{note(f)}" for f in found.fields.values()]
    return "".join(out) + f"\n\n__all__ = {sorted(['ContextType', *CLASSES])!r}\n".replace("'", '"')


def kind(field: contexts.Field) -> str:
    if field.kind.startswith("packet"):
        return "Ptr[u8]"
    if field.kind != "int":
        return "Any"
    return "list[int]" if field.elems > 1 else "int"


def note(field: contexts.Field) -> str:
    """What editors show of a field."""
    size = 2 if field.half else field.size
    words = [DOCS.get(field.name, ""), f"struct {field.target}" if field.kind == "ptr" else "",
             f"{size} bytes" if field.kind == "int" and size != 4 else "", "in network order at rest" if field.big_endian else "",
             "writable by some programs" if field.writable else ""]
    said = ", ".join(filter(None, words))
    return f'    """{said[0].upper()}{said[1:]}."""\n' if said else ""


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "purebpf" / "dsl" / "contexts.py"
    made = text()
    head, _, names = made.rpartition("__all__ = [")
    lines, line = [], "   "
    for word in names.rstrip("]\n").split(", "):
        if len(line) + len(word) > 115:
            lines.append(line)
            line = "   "
        line += f" {word},"
    target.write_text(head + "__all__ = [\n" + "\n".join([*lines, line]) + "\n]\n")
