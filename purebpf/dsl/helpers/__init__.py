"""The kernel's helpers: one typed function each, by the kernel's name without `bpf_`, in modules by family.

The compiler takes from here what a helper gives and takes; user programs take the names. A helper's number stands in
uapi.helpers, its first kernel in uapi.versions; signature, licence and docstring here alone.

Invariants: names are those of uapi.helpers (tests/dsl/test_helpers.py); a helper is inert: called in plain Python it
raises NotInKernel; a family is imported when one of its helpers is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Never, TypeVar

from ...errors import NotInKernel

if TYPE_CHECKING:
    from .cgroup import *  # noqa: F403
    from .control import *  # noqa: F403
    from .maps import *  # noqa: F403
    from .mem import *  # noqa: F403
    from .ringbuf import *  # noqa: F403
    from .skb import *  # noqa: F403
    from .sock import *  # noqa: F403
    from .task import *  # noqa: F403
    from .time import *  # noqa: F403
    from .trace import *  # noqa: F403
    from .xdp import *  # noqa: F403

F = TypeVar("F", bound=Callable[..., Any])


class Helper:
    """A helper as data.

    name     without `bpf_`
    params   (name, kind) in order; kinds are integer names and those of kinds.py; a "*args" takes what is left
    ret      "u32", "u64", "i64", "None", "Ptr[Any]" or "Ptr[Any] | None", as annotated
    region   what a pointer result points to: "map_value", "mem", "socket", "kernel"; "" if it is none
    target   name of the struct it points to, if that is fixed
    """

    def __init__(self, function: Callable[..., Any], region: str, target: str) -> None:
        texts = dict(function.__annotations__)
        self.name, self.__doc__ = function.__name__, function.__doc__
        self.ret: str = texts.pop("return")
        variadic = function.__code__.co_flags & 4
        self.params: tuple[tuple[str, str], ...] = tuple(
            (f"*{name}" if variadic and name == "args" else name, text) for name, text in texts.items())
        self.region, self.target = region, target

    @property
    def id(self) -> int:
        """The kernel's number."""
        from ...uapi.helpers import IDS

        return IDS[self.name]

    @property
    def nullable(self) -> bool:
        """May the pointer it gives be NULL?"""
        return self.ret.endswith("| None")

    def __call__(self, *args: Any, **kwargs: Any) -> Never:
        raise NotInKernel(f"{self.name}() is a kernel helper: it works inside a BPF program only")

    def __repr__(self) -> str:
        return f"<helper {self.name}({', '.join(f'{n}: {t}' for n, t in self.params)}) -> {self.ret}>"


def helper(*, region: str = "", target: str = "") -> Callable[[F], F]:
    """Make a Helper of a signature; to type checkers it stays the function."""

    def make(function: F) -> F:
        return Helper(function, region, target)  # type: ignore[return-value]

    return make


# family (module) -> its helpers
FAMILIES = {
    "maps": (
        "map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem "
        "map_lookup_percpu_elem for_each_map_elem sk_storage_get sk_storage_delete inode_storage_get "
        "inode_storage_delete task_storage_get task_storage_delete cgrp_storage_get cgrp_storage_delete "
        "get_local_storage"
    ),
    "time": (
        "ktime_get_ns ktime_get_boot_ns ktime_get_coarse_ns ktime_get_tai_ns jiffies64 timer_init "
        "timer_set_callback timer_start timer_cancel"
    ),
    "task": (
        "get_current_pid_tgid get_ns_current_pid_tgid get_current_uid_gid get_current_comm get_current_task "
        "get_current_task_btf task_pt_regs get_smp_processor_id get_numa_node_id get_prandom_u32 send_signal "
        "send_signal_thread find_vma bprm_opts_set ima_inode_hash ima_file_hash"
    ),
    "trace": (
        "trace_printk trace_vprintk perf_event_output perf_event_read perf_event_read_value perf_prog_read_value "
        "read_branch_records get_branch_snapshot get_stackid get_stack get_task_stack get_func_ip get_attach_cookie "
        "get_func_arg get_func_ret get_func_arg_cnt override_return seq_printf seq_write seq_printf_btf "
        "snprintf_btf skb_output xdp_output rc_repeat rc_keydown rc_pointer_rel"
    ),
    "mem": (
        "probe_read probe_read_str probe_read_user probe_read_kernel probe_read_user_str probe_read_kernel_str "
        "probe_write_user copy_from_user copy_from_user_task snprintf strncmp strtol strtoul d_path per_cpu_ptr "
        "this_cpu_ptr kptr_xchg dynptr_from_mem dynptr_read dynptr_write dynptr_data"
    ),
    "ringbuf": (
        "ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query ringbuf_reserve_dynptr "
        "ringbuf_submit_dynptr ringbuf_discard_dynptr user_ringbuf_drain"
    ),
    "skb": (
        "skb_load_bytes skb_load_bytes_relative skb_store_bytes skb_pull_data skb_change_tail skb_change_head "
        "skb_change_proto skb_change_type skb_adjust_room skb_vlan_push skb_vlan_pop skb_get_tunnel_key "
        "skb_set_tunnel_key skb_get_tunnel_opt skb_set_tunnel_opt skb_get_xfrm_state skb_set_tstamp skb_ecn_set_ce "
        "skb_under_cgroup skb_cgroup_id skb_ancestor_cgroup_id skb_cgroup_classid l3_csum_replace l4_csum_replace "
        "csum_diff csum_update csum_level get_hash_recalc set_hash set_hash_invalid get_cgroup_classid "
        "get_route_realm clone_redirect redirect redirect_neigh redirect_peer lwt_push_encap lwt_seg6_store_bytes "
        "lwt_seg6_adjust_srh lwt_seg6_action"
    ),
    "xdp": (
        "xdp_adjust_head xdp_adjust_tail xdp_adjust_meta xdp_get_buff_len xdp_load_bytes xdp_store_bytes "
        "redirect_map fib_lookup check_mtu"
    ),
    "sock": (
        "sk_lookup_tcp sk_lookup_udp skc_lookup_tcp sk_release sk_fullsock tcp_sock get_listener_sock "
        "skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock "
        "skc_to_unix_sock skc_to_mptcp_sock sock_from_file sk_assign sk_select_reuseport sk_redirect_map "
        "sk_redirect_hash sock_map_update sock_hash_update msg_redirect_map msg_redirect_hash msg_apply_bytes "
        "msg_cork_bytes msg_pull_data msg_push_data msg_pop_data setsockopt getsockopt bind sock_ops_cb_flags_set "
        "load_hdr_opt store_hdr_opt reserve_hdr_opt tcp_check_syncookie tcp_gen_syncookie "
        "tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 "
        "tcp_raw_check_syncookie_ipv6 tcp_send_ack get_socket_cookie get_socket_uid get_netns_cookie"
    ),
    "cgroup": (
        "get_current_cgroup_id get_current_ancestor_cgroup_id current_task_under_cgroup sk_cgroup_id "
        "sk_ancestor_cgroup_id get_retval set_retval sysctl_get_name sysctl_get_current_value sysctl_get_new_value "
        "sysctl_set_new_value"
    ),
    "control": (
        "tail_call loop spin_lock spin_unlock sys_bpf sys_close btf_find_by_name_kind kallsyms_lookup_name"
    ),
}

_FAMILY = {name: family for family, names in FAMILIES.items() for name in names.split()}


def __getattr__(name: str) -> Helper:
    family = _FAMILY.get(name.removeprefix("bpf_"))
    if family is None:
        raise AttributeError(f"there is no helper {name!r}")
    from importlib import import_module

    found: Helper = getattr(import_module(f"{__name__}.{family}"), name.removeprefix("bpf_"))
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *_FAMILY]
