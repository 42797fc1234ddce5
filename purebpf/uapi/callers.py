"""Which program types may call which helper: what `func_proto` of each program type answers.

Measured by loading a call of each helper on 6.18, completed from the kernel's history (isovalent/ebpf-docs 18ec5e9) where
a type was not to be loaded there; what one kernel of the two allows is allowed. All others can be called by every type.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from .enums import ProgType, name_of

# program types (of two that never differ, the first) -> helpers that no others may call
CALLERS: Final = {
    "CGROUP_SKB": "sk_cgroup_id sk_ancestor_cgroup_id",
    "CGROUP_SOCK_ADDR": "bind",
    "CGROUP_SYSCTL": "sysctl_get_name sysctl_get_current_value sysctl_get_new_value sysctl_set_new_value",
    "KPROBE": "override_return",
    "LIRC_MODE2": "rc_repeat rc_keydown rc_pointer_rel",
    "LSM": "inode_storage_get inode_storage_delete bprm_opts_set ima_inode_hash ima_file_hash",
    "LWT_SEG6LOCAL": "lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action",
    "PERF_EVENT": "perf_prog_read_value read_branch_records",
    "SK_MSG":
        "msg_redirect_map msg_apply_bytes msg_cork_bytes msg_pull_data msg_redirect_hash msg_push_data msg_pop_data",
    "SK_REUSEPORT": "sk_select_reuseport",
    "SK_SKB": "sk_redirect_map sk_redirect_hash",
    "SOCK_OPS": "sock_map_update sock_ops_cb_flags_set sock_hash_update load_hdr_opt store_hdr_opt reserve_hdr_opt",
    "STRUCT_OPS": "tcp_send_ack",
    "SYSCALL": "sys_bpf btf_find_by_name_kind sys_close kallsyms_lookup_name",
    "XDP": "xdp_adjust_head redirect_map xdp_adjust_meta xdp_adjust_tail xdp_load_bytes xdp_store_bytes",
    "LWT_IN LWT_XMIT": "lwt_push_encap",
    "SCHED_CLS": (
        "skb_vlan_push skb_vlan_pop skb_change_proto skb_change_type set_hash skb_get_xfrm_state skb_cgroup_classid "
        "redirect_neigh redirect_peer skb_set_tstamp"
    ),
    "TRACING LSM": "seq_printf seq_write d_path seq_printf_btf get_func_arg get_func_ret get_func_arg_cnt",
    "SCHED_CLS CGROUP_SKB": "skb_cgroup_id skb_ancestor_cgroup_id sk_fullsock skb_ecn_set_ce get_listener_sock",
    "SCHED_CLS LWT_XMIT": (
        "l3_csum_replace l4_csum_replace clone_redirect skb_get_tunnel_key skb_set_tunnel_key skb_get_tunnel_opt "
        "skb_set_tunnel_opt csum_update set_hash_invalid csum_level"
    ),
    "SCHED_CLS SK_LOOKUP": "sk_assign",
    "SCHED_CLS SK_SKB": "skb_adjust_room",
    "SCHED_CLS XDP": (
        "fib_lookup tcp_check_syncookie tcp_gen_syncookie check_mtu tcp_raw_gen_syncookie_ipv4 "
        "tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6"
    ),
    "TRACING LSM SYSCALL": "skb_output xdp_output sock_from_file",
    "SCHED_CLS LWT_XMIT SK_SKB": "skb_store_bytes skb_change_tail skb_change_head",
    "SCHED_CLS XDP LWT_XMIT": "redirect",
    "XDP TRACING LSM SYSCALL": "xdp_get_buff_len",
    "CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SOCKOPT CGROUP_SYSCTL CGROUP_DEVICE": "get_retval set_retval",
    "SCHED_CLS CGROUP_SKB SOCK_OPS CGROUP_SOCKOPT": "tcp_sock",
    "SOCKET_FILTER SCHED_CLS CGROUP_SKB SK_REUSEPORT": "skb_load_bytes_relative",
    "SOCKET_FILTER SCHED_CLS CGROUP_SKB SK_SKB": "get_socket_uid",
    "SOCK_OPS CGROUP_SOCK_ADDR CGROUP_SOCKOPT LSM STRUCT_OPS": "setsockopt getsockopt",
    "SCHED_CLS LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL": "get_route_realm skb_under_cgroup get_hash_recalc",
    "SCHED_CLS XDP CGROUP_SKB SK_SKB CGROUP_SOCK_ADDR": "sk_lookup_tcp sk_lookup_udp skc_lookup_tcp",
    "CGROUP_SKB SOCK_OPS CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SOCKOPT CGROUP_SYSCTL CGROUP_DEVICE": "get_local_storage",
    "KPROBE TRACEPOINT PERF_EVENT RAW_TRACEPOINT TRACING LSM": "get_attach_cookie",
    "SCHED_CLS LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB": "skb_pull_data",
    "SCHED_CLS XDP CGROUP_SKB SK_SKB SK_LOOKUP CGROUP_SOCK_ADDR": "sk_release",
    "SCHED_CLS XDP LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL": "csum_diff",
    "KPROBE TRACEPOINT PERF_EVENT RAW_TRACEPOINT TRACING LSM SYSCALL":
        "probe_read get_stackid probe_write_user probe_read_str get_stack get_func_ip",
    "SOCKET_FILTER SCHED_CLS CGROUP_SKB SK_MSG SOCK_OPS CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SOCKOPT":
        "get_netns_cookie",
    "SCHED_CLS CGROUP_SKB SK_MSG SOCK_OPS CGROUP_SOCK_ADDR CGROUP_SOCKOPT TRACING LSM STRUCT_OPS": "sk_storage_delete",
    "SCHED_CLS CGROUP_SKB SK_MSG SOCK_OPS CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SOCKOPT TRACING LSM STRUCT_OPS":
        "sk_storage_get",
    "SOCKET_FILTER SCHED_CLS CGROUP_SKB LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB SK_REUSEPORT FLOW_DISSECTOR":
        "skb_load_bytes",
    ("SOCKET_FILTER SCHED_CLS CGROUP_SKB SK_SKB SK_REUSEPORT SOCK_OPS CGROUP_SOCK CGROUP_SOCK_ADDR TRACING LSM SYSCALL"):
        "get_socket_cookie",
    ("SOCKET_FILTER SCHED_CLS XDP CGROUP_SKB LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB SK_MSG SK_LOOKUP "
     "FLOW_DISSECTOR SOCK_OPS CGROUP_SOCK_ADDR TRACING LSM SYSCALL"):
        (
        "skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock "
        "skc_to_unix_sock skc_to_mptcp_sock"
    ),
    ("SOCKET_FILTER SCHED_CLS XDP CGROUP_SKB LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB SK_MSG SK_LOOKUP "
     "SK_REUSEPORT FLOW_DISSECTOR SOCK_OPS CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SYSCTL STRUCT_OPS"):
        "ktime_get_coarse_ns",
    ("SOCKET_FILTER SCHED_CLS XDP CGROUP_SKB LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL SK_SKB SK_MSG SK_LOOKUP SOCK_OPS "
     "CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_SOCKOPT CGROUP_SYSCTL CGROUP_DEVICE KPROBE TRACEPOINT PERF_EVENT "
     "RAW_TRACEPOINT TRACING LSM SYSCALL"):
        "perf_event_output",
}
TRACERS: Final = "KPROBE TRACEPOINT PERF_EVENT RAW_TRACEPOINT TRACING LSM SYSCALL"
# Helpers that came to some types of program later than they came: helpers -> the types that had them from the start, and those that
# got them in a release; a release alone is that of all other types. What 5.10, 6.1, 6.12, 6.16 and 6.18 let which type call was measured
# where a call alone loads; the release between two of them is of the kernel's history.
LATER: Final = {
    "get_current_comm":
        (f"{TRACERS} CGROUP_SOCK CGROUP_SOCK_ADDR", "6.1 CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.16"),
    "get_current_uid_gid":
        (f"{TRACERS} SK_MSG CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.16"),
    "get_current_pid_tgid":
        (f"{TRACERS} SK_MSG CGROUP_SOCK CGROUP_SOCK_ADDR", "6.1 CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.10"),
    "get_ns_current_pid_tgid": (TRACERS, "6.10"),
    "get_current_cgroup_id":
        (f"{TRACERS} SK_MSG CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.4"),
    "get_current_ancestor_cgroup_id":
        ("SK_MSG CGROUP_SOCK CGROUP_SOCK_ADDR", f"5.15 {TRACERS}", "6.1 CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.4"),
    "get_cgroup_classid":
        ("SCHED_CLS SK_MSG LWT_IN LWT_OUT LWT_XMIT LWT_SEG6LOCAL CGROUP_SOCK CGROUP_SOCK_ADDR",
         "6.1 CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.16"),
    "current_task_under_cgroup":
        (TRACERS, "6.12 CGROUP_SOCK CGROUP_SOCK_ADDR CGROUP_DEVICE CGROUP_SOCKOPT CGROUP_SYSCTL", "6.16"),
    "perf_event_read perf_event_read_value send_signal send_signal_thread get_task_stack get_branch_snapshot find_vma copy_from_user_task":
        (TRACERS, "6.16"),
    "copy_from_user": ("TRACING LSM SYSCALL", "6.0 KPROBE TRACEPOINT PERF_EVENT RAW_TRACEPOINT", "6.16"),
    "task_storage_get task_storage_delete": ("LSM", f"5.13 {TRACERS.replace(' LSM', '')}", "6.16"),
    "strtol strtoul": ("CGROUP_SYSCTL", "6.1"),
    "get_netns_cookie":
        ("CGROUP_SOCK CGROUP_SOCK_ADDR", "5.15 SK_MSG SOCK_OPS CGROUP_SOCKOPT", "6.13 SCHED_CLS", "6.15"),
    "get_socket_cookie": ("5.12 TRACING LSM SYSCALL", "5.14 SK_REUSEPORT"),
    "get_attach_cookie": ("5.19 TRACING LSM", "6.10 RAW_TRACEPOINT"),
    "setsockopt getsockopt": ("5.15 CGROUP_SOCKOPT STRUCT_OPS", "6.0 LSM"),
    "sk_storage_get sk_storage_delete": ("5.11 TRACING LSM",),
    "d_path": ("5.11 LSM",),
    "spin_lock spin_unlock": ("6.1 KPROBE TRACEPOINT PERF_EVENT RAW_TRACEPOINT",),
}
# program types as their programs are called, where that is not just their name
NAMES: Final = {
    ProgType.SCHED_CLS: "tc", ProgType.KPROBE: "kprobe and uprobe", ProgType.TRACING: "fentry, fexit, tp_btf and iterator",
    ProgType.SOCK_OPS: "sock_ops", ProgType.SOCKET_FILTER: "socket_filter", ProgType.CGROUP_SOCK_ADDR: "cgroup address",
    ProgType.CGROUP_SOCK: "cgroup socket", ProgType.CGROUP_SOCKOPT: "cgroup sockopt", ProgType.CGROUP_SYSCTL: "cgroup sysctl",
    ProgType.CGROUP_DEVICE: "cgroup device",
}
SAME: Final = {ProgType.SCHED_ACT: ProgType.SCHED_CLS, ProgType.RAW_TRACEPOINT_WRITABLE: ProgType.RAW_TRACEPOINT}
OPEN: Final = (ProgType.EXT, ProgType.STRUCT_OPS)  # what may be called depends on what they stand in for
_OF: Final = {helper: types for types, helpers in CALLERS.items() for helper in helpers.split()}


@cache
def types(helper: str) -> frozenset[int] | None:
    """The program types that may call a helper; None: all."""
    names = _OF.get(helper)
    if names is None:
        return None
    may = {int(getattr(ProgType, name)) for name in names.split()}
    return frozenset(may | {int(a) for a, b in SAME.items() if int(b) in may} | set(map(int, OPEN)))


@cache
def later(helper: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """(program type, the first kernel in which it may call the helper; "": since it is there) of some, and that of all others."""
    rows: dict[int, str] = {}
    others = ""
    for row in next((rows for names, rows in LATER.items() if helper in names.split()), ()):
        words = row.split()
        release = words.pop(0) if words[0][0].isdigit() else ""
        others = others if words else release
        rows.update({int(getattr(ProgType, name)): release for name in words})
    rows.update({int(a): rows[int(b)] for a, b in SAME.items() if int(b) in rows})
    return tuple(rows.items()), others


def named(types: Collection[int]) -> list[str]:
    """Program types as their programs are called, those left out that go with another or stand in for others."""
    return [NAMES.get(one, name_of(ProgType, one).lower()) for one in sorted(types) if one not in SAME and one not in OPEN]
