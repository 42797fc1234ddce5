"""What the kernel's helpers do besides giving an answer. One that is not named may change memory that the program sees.

    same        the same answer for the whole run of a program, and no effect: calls may be merged or dropped
    quiet       changes no memory that the program sees
    sleeps      only where a program may sleep (might_sleep, 6.18)
    gives=H     what it gives must be given back, by helper H
    takes       takes what its first argument leads to back
    locked      may be called while a lock is held
    gpl         only for programs with a GPL-compatible licence
    moves       may move the packet: pointers into it are void (bpf_helper_changes_pkt_data, 6.18)

Their signatures stand in dsl/helpers, who may call them in callers, since when they are there in versions; callees has all of it
together, for helpers and kernel functions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_TABLE: Final = {
    "same": "get_current_pid_tgid get_current_uid_gid get_current_task",
    "quiet": "get_smp_processor_id ktime_get_ns ktime_get_boot_ns get_prandom_u32 map_lookup_elem trace_printk trace_vprintk",
    "sleeps": "copy_from_user copy_from_user_task ima_inode_hash ima_file_hash",
    "gives=sk_release": "sk_lookup_tcp sk_lookup_udp skc_lookup_tcp",
    "gives=ringbuf_submit": "ringbuf_reserve",
    "takes": "sk_release ringbuf_submit ringbuf_discard",
    "locked": "spin_lock spin_unlock",
    "gpl": (
        "probe_read trace_printk perf_event_read perf_event_output get_stackid get_current_task probe_write_user "
        "probe_read_str perf_event_read_value perf_prog_read_value override_return get_stack fib_lookup rc_repeat "
        "rc_keydown rc_pointer_rel tcp_check_syncookie tcp_gen_syncookie skb_output probe_read_user probe_read_kernel "
        "probe_read_user_str probe_read_kernel_str read_branch_records xdp_output seq_printf seq_write seq_printf_btf "
        "get_current_task_btf check_mtu snprintf timer_init timer_set_callback timer_start timer_cancel get_func_ip "
        "task_pt_regs get_branch_snapshot trace_vprintk copy_from_user_task tcp_raw_gen_syncookie_ipv4 "
        "tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6"
    ),
    "moves": (
        "skb_store_bytes l3_csum_replace l4_csum_replace tail_call clone_redirect skb_vlan_push skb_vlan_pop "
        "skb_change_proto skb_change_tail skb_pull_data skb_change_head xdp_adjust_head skb_adjust_room xdp_adjust_meta "
        "msg_pull_data xdp_adjust_tail lwt_push_encap lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action "
        "msg_push_data msg_pop_data store_hdr_opt"
    ),
}


class Effects(NamedTuple):
    """One helper's. `gives`: the helper that takes back what it gives, "" if nothing must be given back."""

    same: bool = False
    writes: bool = True
    sleeps: bool = False
    locked: bool = False
    gpl: bool = False
    moves: bool = False
    gives: str = ""
    takes: bool = False


NONE: Final = Effects()
_found: dict[str, Effects] = {}


def of(name: str) -> Effects:
    """What a helper does, by its name without `bpf_`."""
    if not _found:
        words: dict[str, dict[str, str | bool]] = {}
        for word, names in _TABLE.items():
            field, _, value = word.partition("=")
            for one in names.split():
                row = words.setdefault(one, {})
                row["writes"] = row.get("writes", True) and field not in ("same", "quiet")
                if field != "quiet":
                    row[field] = value or True
        _found.update((name, NONE._replace(**row)) for name, row in words.items())  # type: ignore[arg-type]  # each as its field has it
    return _found.get(name, NONE)
