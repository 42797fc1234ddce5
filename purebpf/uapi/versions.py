"""The first kernel that has a thing: helpers, map, program, attach and link types, commands, language features.

Each table is release -> names as one text; names are those of uapi.enums and uapi.helpers. From the kernel's history
(isovalent/ebpf-docs 18ec5e9, spot-checked on 5.10, 6.1, 6.12 and 6.18). "" from a function means "not known".
"""

from __future__ import annotations

from typing import Final, Mapping

from .enums import AttachType, Cmd, LinkType, MapType, ProgType, name_of
from .helpers import helper_name

HELPERS: Final = {
    "3.18": "map_lookup_elem map_update_elem map_delete_elem",
    "4.1": (
        "probe_read ktime_get_ns trace_printk get_prandom_u32 get_smp_processor_id skb_store_bytes l3_csum_replace "
        "l4_csum_replace"
    ),
    "4.2": "tail_call clone_redirect get_current_pid_tgid get_current_uid_gid get_current_comm",
    "4.3": "get_cgroup_classid skb_vlan_push skb_vlan_pop skb_get_tunnel_key skb_set_tunnel_key perf_event_read",
    "4.4": "redirect get_route_realm perf_event_output",
    "4.5": "skb_load_bytes",
    "4.6": "get_stackid csum_diff skb_get_tunnel_opt skb_set_tunnel_opt",
    "4.8": "skb_change_proto skb_change_type skb_under_cgroup get_hash_recalc get_current_task probe_write_user",
    "4.9": "current_task_under_cgroup skb_change_tail skb_pull_data csum_update set_hash_invalid",
    "4.10": "get_numa_node_id skb_change_head xdp_adjust_head",
    "4.11": "probe_read_str",
    "4.12": "get_socket_cookie get_socket_uid",
    "4.13": "set_hash setsockopt skb_adjust_room",
    "4.14": "redirect_map sk_redirect_map sock_map_update",
    "4.15": "xdp_adjust_meta perf_event_read_value perf_prog_read_value getsockopt",
    "4.16": "override_return sock_ops_cb_flags_set",
    "4.17": "msg_redirect_map msg_apply_bytes msg_cork_bytes msg_pull_data bind",
    "4.18": (
        "xdp_adjust_tail skb_get_xfrm_state get_stack skb_load_bytes_relative fib_lookup sock_hash_update "
        "msg_redirect_hash sk_redirect_hash lwt_push_encap lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action "
        "rc_repeat rc_keydown skb_cgroup_id get_current_cgroup_id"
    ),
    "4.19": "get_local_storage sk_select_reuseport skb_ancestor_cgroup_id",
    "4.20": "sk_lookup_tcp sk_lookup_udp sk_release map_push_elem map_pop_elem map_peek_elem msg_push_data",
    "5.0": "msg_pop_data rc_pointer_rel",
    "5.1": "spin_lock spin_unlock sk_fullsock tcp_sock skb_ecn_set_ce get_listener_sock",
    "5.2": (
        "skc_lookup_tcp tcp_check_syncookie sysctl_get_name sysctl_get_current_value sysctl_get_new_value "
        "sysctl_set_new_value strtol strtoul sk_storage_get sk_storage_delete"
    ),
    "5.3": "send_signal",
    "5.4": "tcp_gen_syncookie",
    "5.5": "skb_output probe_read_user probe_read_kernel probe_read_user_str probe_read_kernel_str",
    "5.6": "tcp_send_ack send_signal_thread jiffies64",
    "5.7": (
        "read_branch_records get_ns_current_pid_tgid xdp_output get_netns_cookie get_current_ancestor_cgroup_id "
        "sk_assign"
    ),
    "5.8": (
        "ktime_get_boot_ns seq_printf seq_write sk_cgroup_id sk_ancestor_cgroup_id ringbuf_output ringbuf_reserve "
        "ringbuf_submit ringbuf_discard ringbuf_query csum_level"
    ),
    "5.9": (
        "skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock "
        "get_task_stack"
    ),
    "5.10": (
        "load_hdr_opt store_hdr_opt reserve_hdr_opt inode_storage_get inode_storage_delete d_path copy_from_user "
        "snprintf_btf seq_printf_btf skb_cgroup_classid redirect_neigh per_cpu_ptr this_cpu_ptr redirect_peer"
    ),
    "5.11": (
        "task_storage_get task_storage_delete get_current_task_btf bprm_opts_set ktime_get_coarse_ns ima_inode_hash "
        "sock_from_file"
    ),
    "5.12": "check_mtu",
    "5.13": "for_each_map_elem snprintf",
    "5.14": "sys_bpf btf_find_by_name_kind sys_close",
    "5.15": "timer_init timer_set_callback timer_start timer_cancel get_func_ip get_attach_cookie task_pt_regs",
    "5.16": "get_branch_snapshot trace_vprintk skc_to_unix_sock kallsyms_lookup_name",
    "5.17": "find_vma loop strncmp get_func_arg get_func_ret get_func_arg_cnt",
    "5.18": (
        "get_retval set_retval xdp_get_buff_len xdp_load_bytes xdp_store_bytes copy_from_user_task skb_set_tstamp "
        "ima_file_hash"
    ),
    "5.19": (
        "kptr_xchg map_lookup_percpu_elem skc_to_mptcp_sock dynptr_from_mem ringbuf_reserve_dynptr "
        "ringbuf_submit_dynptr ringbuf_discard_dynptr dynptr_read dynptr_write dynptr_data"
    ),
    "6.0": (
        "tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 "
        "tcp_raw_check_syncookie_ipv6"
    ),
    "6.1": "ktime_get_tai_ns user_ringbuf_drain",
    "6.2": "cgrp_storage_get cgrp_storage_delete",
}

MAP_TYPES: Final = {
    "3.19": "HASH ARRAY",
    "4.2": "PROG_ARRAY",
    "4.3": "PERF_EVENT_ARRAY",
    "4.6": "PERCPU_HASH PERCPU_ARRAY STACK_TRACE",
    "4.8": "CGROUP_ARRAY",
    "4.10": "LRU_HASH LRU_PERCPU_HASH",
    "4.11": "LPM_TRIE",
    "4.12": "ARRAY_OF_MAPS HASH_OF_MAPS",
    "4.14": "DEVMAP SOCKMAP",
    "4.15": "CPUMAP",
    "4.18": "XSKMAP SOCKHASH",
    "4.19": "CGROUP_STORAGE REUSEPORT_SOCKARRAY",
    "4.20": "PERCPU_CGROUP_STORAGE QUEUE STACK",
    "5.2": "SK_STORAGE",
    "5.4": "DEVMAP_HASH",
    "5.6": "STRUCT_OPS",
    "5.8": "RINGBUF",
    "5.10": "INODE_STORAGE",
    "5.11": "TASK_STORAGE",
    "5.16": "BLOOM_FILTER",
    "6.1": "USER_RINGBUF",
    "6.2": "CGRP_STORAGE",
    "6.9": "ARENA",
    "6.19": "INSN_ARRAY",
}

PROG_TYPES: Final = {
    "3.19": "SOCKET_FILTER",
    "4.1": "KPROBE SCHED_CLS SCHED_ACT",
    "4.7": "TRACEPOINT",
    "4.8": "XDP",
    "4.9": "PERF_EVENT",
    "4.10": "CGROUP_SKB CGROUP_SOCK LWT_IN LWT_OUT LWT_XMIT",
    "4.13": "SOCK_OPS",
    "4.14": "SK_SKB",
    "4.15": "CGROUP_DEVICE",
    "4.17": "SK_MSG RAW_TRACEPOINT CGROUP_SOCK_ADDR",
    "4.18": "LWT_SEG6LOCAL LIRC_MODE2",
    "4.19": "SK_REUSEPORT",
    "4.20": "FLOW_DISSECTOR",
    "5.2": "CGROUP_SYSCTL RAW_TRACEPOINT_WRITABLE",
    "5.3": "CGROUP_SOCKOPT",
    "5.5": "TRACING",
    "5.6": "STRUCT_OPS EXT",
    "5.7": "LSM",
    "5.9": "SK_LOOKUP",
    "5.14": "SYSCALL",
    "6.4": "NETFILTER",
}

ATTACH_TYPES: Final = {
    "4.10": "CGROUP_INET_INGRESS CGROUP_INET_EGRESS CGROUP_INET_SOCK_CREATE",
    "4.13": "CGROUP_SOCK_OPS",
    "4.14": "SK_SKB_STREAM_PARSER SK_SKB_STREAM_VERDICT",
    "4.15": "CGROUP_DEVICE",
    "4.17": (
        "SK_MSG_VERDICT CGROUP_INET4_BIND CGROUP_INET6_BIND CGROUP_INET4_CONNECT CGROUP_INET6_CONNECT "
        "CGROUP_INET4_POST_BIND CGROUP_INET6_POST_BIND"
    ),
    "4.18": "CGROUP_UDP4_SENDMSG CGROUP_UDP6_SENDMSG LIRC_MODE2",
    "4.20": "FLOW_DISSECTOR",
    "5.2": "CGROUP_SYSCTL CGROUP_UDP4_RECVMSG CGROUP_UDP6_RECVMSG",
    "5.3": "CGROUP_GETSOCKOPT CGROUP_SETSOCKOPT",
    "5.5": "TRACE_RAW_TP TRACE_FENTRY TRACE_FEXIT",
    "5.7": "MODIFY_RETURN LSM_MAC",
    "5.8": (
        "TRACE_ITER CGROUP_INET4_GETPEERNAME CGROUP_INET6_GETPEERNAME CGROUP_INET4_GETSOCKNAME "
        "CGROUP_INET6_GETSOCKNAME XDP_DEVMAP"
    ),
    "5.9": "CGROUP_INET_SOCK_RELEASE XDP_CPUMAP SK_LOOKUP XDP",
    "5.13": "SK_SKB_VERDICT",
    "5.14": "SK_REUSEPORT_SELECT SK_REUSEPORT_SELECT_OR_MIGRATE",
    "5.15": "PERF_EVENT",
    "5.18": "TRACE_KPROBE_MULTI",
    "6.0": "LSM_CGROUP",
    "6.4": "STRUCT_OPS NETFILTER",
    "6.6": "TCX_INGRESS TCX_EGRESS TRACE_UPROBE_MULTI",
    "6.7": (
        "CGROUP_UNIX_CONNECT CGROUP_UNIX_SENDMSG CGROUP_UNIX_RECVMSG CGROUP_UNIX_GETPEERNAME CGROUP_UNIX_GETSOCKNAME "
        "NETKIT_PRIMARY NETKIT_PEER"
    ),
    "6.10": "TRACE_KPROBE_SESSION",
    "6.13": "TRACE_UPROBE_SESSION",
}

LINK_TYPES: Final = {
    "5.8": "RAW_TRACEPOINT TRACING CGROUP ITER NETNS",
    "5.9": "XDP",
    "5.15": "PERF_EVENT",
    "5.18": "KPROBE_MULTI",
    "6.4": "STRUCT_OPS NETFILTER",
    "6.6": "TCX UPROBE_MULTI",
    "6.7": "NETKIT",
    "6.10": "SOCKMAP",
}

COMMANDS: Final = {
    "3.18": "MAP_CREATE MAP_LOOKUP_ELEM MAP_UPDATE_ELEM MAP_DELETE_ELEM MAP_GET_NEXT_KEY PROG_LOAD",
    "4.4": "OBJ_PIN OBJ_GET",
    "4.10": "PROG_ATTACH PROG_DETACH",
    "4.12": "PROG_TEST_RUN",
    "4.13": "PROG_GET_NEXT_ID MAP_GET_NEXT_ID PROG_GET_FD_BY_ID MAP_GET_FD_BY_ID OBJ_GET_INFO_BY_FD",
    "4.15": "PROG_QUERY",
    "4.17": "RAW_TRACEPOINT_OPEN",
    "4.18": "BTF_LOAD BTF_GET_FD_BY_ID TASK_FD_QUERY",
    "4.20": "MAP_LOOKUP_AND_DELETE_ELEM",
    "5.2": "MAP_FREEZE",
    "5.4": "BTF_GET_NEXT_ID",
    "5.6": "MAP_LOOKUP_BATCH MAP_LOOKUP_AND_DELETE_BATCH MAP_UPDATE_BATCH MAP_DELETE_BATCH",
    "5.7": "LINK_CREATE LINK_UPDATE",
    "5.8": "LINK_GET_FD_BY_ID LINK_GET_NEXT_ID ENABLE_STATS ITER_CREATE",
    "5.9": "LINK_DETACH",
    "5.10": "PROG_BIND_MAP",
    "6.9": "TOKEN_CREATE",
    "6.17": "PROG_STREAM_READ_BY_FD",
}

# Fields of contexts, as "context.field".
FIELDS: Final = {
    "5.13": "bpf_sk_lookup.cookie",
    "5.14": "sk_reuseport_md.sk sk_reuseport_md.migrating_sk",
    "5.16": "__sk_buff.hwtstamp",
    "5.17": "bpf_sk_lookup.ingress_ifindex",
    "5.18": "__sk_buff.tstamp_type",
    "6.2": "bpf_sock_ops.skb_hwtstamp",
}

# Forms of programs, by the names of their sections, where neither the type nor where they attach says it.
SECTIONS: Final = {
    "5.18": "xdp.frags xdp.frags/devmap xdp.frags/cpumap iter.s",
    "6.0": "uprobe.s uretprobe.s usdt.s",
    "6.3": "struct_ops.s",
}

# What iterator programs go over.
ITERATORS: Final = {
    "5.8": "bpf_map ipv6_route netlink task task_file",
    "5.9": "bpf_map_elem bpf_prog bpf_sk_storage_map tcp udp",
    "5.10": "sockmap",
    "5.12": "task_vma",
    "5.15": "unix",
    "5.19": "bpf_link",
    "6.0": "ksym",
    "6.1": "cgroup",
    "6.13": "kmem_cache",
    "6.16": "dmabuf",
}

# What the verifier and the loader interface learnt, by a name of ours.
FEATURES: Final = {
    "subprograms": "4.16",  # calls between functions of a program
    "jlt": "4.14",  # jlt, jle, jslt, jsle: -mcpu=v2
    "prog_name": "4.15",
    "btf": "4.18",
    "func_info": "5.0",
    "line_info": "5.0",
    "jmp32": "5.1",  # -mcpu=v3
    "bounded_loops": "5.3",
    "million_insns": "5.2",  # for privileged loads; 4096 before
    "global_data": "5.2",  # BPF_PSEUDO_MAP_VALUE, frozen and read-only maps
    "btf_datasec": "5.2",
    "mmapable_arrays": "5.5",
    "core_target_btf": "5.5",  # /sys/kernel/btf/vmlinux (5.4) with BTF-typed pointers
    "probe_read_kernel": "5.5",
    "global_functions": "5.6",
    "btf_func_global": "5.6",
    "links": "5.7",
    "ringbuf": "5.8",
    "cap_bpf": "5.8",
    "sleepable": "5.10",
    "tail_call_in_subprogram": "5.10",
    "test_run_ctx": "5.10",
    "prog_bind_map": "5.10",
    "ksym_typed": "5.10",
    "memcg_accounting": "5.11",  # RLIMIT_MEMLOCK no longer matters
    "module_btf": "5.11",
    "global_pointers": "5.12",  # as arguments of global functions
    "atomics": "5.12",  # fetch, xchg, cmpxchg, and, or, xor
    "callbacks": "5.13",  # BPF_PSEUDO_FUNC
    "kfuncs": "5.13",
    "btf_float": "5.13",
    "fd_array": "5.14",
    "timers": "5.15",
    "perf_link": "5.15",
    "bpf_cookie": "5.15",
    "map_extra": "5.16",
    "btf_decl_tag": "5.16",
    "btf_type_tag": "5.17",
    "kernel_core_relo": "5.17",
    "bpf_loop": "5.17",
    "dynptr": "5.19",
    "kptr": "5.19",
    "btf_enum64": "6.0",
    "user_ringbuf": "6.1",
    "task_kfuncs": "6.2",
    "rcu_read_lock": "6.2",
    "open_coded_iterators": "6.4",
    "log_true_size": "6.4",
    "struct_ops_link": "6.4",
    "netfilter_link": "6.4",
    "module_kptr": "6.4",
    "cpu_v4": "6.6",  # movsx, ldsx, bswap, sdiv, smod, gotol
    "tcx": "6.6",
    "uprobe_multi": "6.6",
    "exceptions": "6.7",  # bpf_throw
    "netkit": "6.7",
    "may_goto": "6.9",
    "arena": "6.9",
    "addr_space_cast": "6.9",
    "token": "6.9",
    "preempt_off": "6.10",
    "fastcall": "6.12",
    "back_edge_falls": "6.12",  # a loop that comes round without a jump; 6.1 refuses it, those between were not tried
    "uprobe_session": "6.13",
    "private_stack": "6.13",
    "fd_array_cnt": "6.14",
    "load_acquire": "6.15",  # load_acquire, store_release
}


def helper(which: int | str) -> str:
    """First kernel of a helper, given by number or by name with or without `bpf_`."""
    name = which.removeprefix("bpf_") if isinstance(which, str) else helper_name(which) or ""
    return _since(HELPERS, name)


def map_type(number: int) -> str:
    return _since(MAP_TYPES, name_of(MapType, number))


def prog_type(number: int) -> str:
    return _since(PROG_TYPES, name_of(ProgType, number))


def attach_type(number: int) -> str:
    return _since(ATTACH_TYPES, name_of(AttachType, number))


def link_type(number: int) -> str:
    return _since(LINK_TYPES, name_of(LinkType, number))


def command(number: int) -> str:
    return _since(COMMANDS, name_of(Cmd, number))


def field(context: str, name: str) -> str:
    return _since(FIELDS, f"{context}.{name}")


def section(name: str, target: str = "") -> str:
    """First kernel with programs of a section, besides what their type and attach type say."""
    return max(_since(SECTIONS, name), _since(ITERATORS, target) if name.startswith("iter") else "", key=number)


def feature(name: str) -> str:
    """First kernel with a feature of FEATURES."""
    return FEATURES.get(name, "")


def cpu(version: int) -> str:
    """First kernel that runs a version of the instruction set."""
    return {2: feature("jlt"), 3: feature("jmp32"), 4: feature("cpu_v4")}.get(version, "")


def number(release: str) -> tuple[int, int]:
    """(6, 18) of "6.18", "6.18.44-rc1"; (0, 0) of what is no release."""
    parts = release.split(".", 2)
    major, minor = parts[0], parts[1] if len(parts) > 1 else "0"
    digits = minor[:len(minor) - len(minor.lstrip("0123456789"))]
    return (int(major), int(digits or 0)) if major.isdecimal() else (0, 0)


def has(release: str, since: str) -> bool:
    """Is `since` ("" is always) not newer than `release`?"""
    return not since or number(release) >= number(since)


def _since(table: Mapping[str, str], name: str) -> str:
    for release, names in table.items():
        if name in names.split():
            return release
    return ""
