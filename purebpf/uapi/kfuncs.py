"""The kernel's functions for programs (kfuncs): what BTF does not say of them. Their signatures BTF does say.

One line each: name, first kernel, the group of program types that may call it ("-": not measured), and of

    acquire     gives an object that must be given back (KF_ACQUIRE)
    release     takes the object of its first argument back (KF_RELEASE)
    null        may give None (KF_RET_NULL)
    sleeps      only where a program may sleep (KF_SLEEPABLE)
    trusted     takes pointers of which the verifier knows that what they lead to is there (KF_TRUSTED_ARGS)
    rcu         the same, or from an RCU section (KF_RCU)
    in_rcu      only inside an RCU section (KF_RCU_PROTECTED)
    locked      may be called while a lock is held (kfunc_spin_allowed)

Flags are the kernel sources' (7.1); groups were measured on 6.18, by loading a call from every program type but
LSM and EXT, which are taken for TRACING.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .enums import ProgType

GROUPS: Final = {
    "any":
        "CGROUP_DEVICE CGROUP_SKB CGROUP_SOCK CGROUP_SOCKOPT CGROUP_SOCK_ADDR CGROUP_SYSCTL FLOW_DISSECTOR "
        "KPROBE LWT_IN LWT_OUT LWT_SEG6LOCAL LWT_XMIT NETFILTER PERF_EVENT RAW_TRACEPOINT "
        "RAW_TRACEPOINT_WRITABLE SCHED_ACT SCHED_CLS SK_LOOKUP SK_MSG SK_REUSEPORT SK_SKB SOCKET_FILTER "
        "SOCK_OPS STRUCT_OPS SYSCALL TRACEPOINT TRACING XDP",
    "struct_ops": "STRUCT_OPS",
    "generic":
        "CGROUP_DEVICE CGROUP_SKB CGROUP_SOCK CGROUP_SOCKOPT CGROUP_SOCK_ADDR CGROUP_SYSCTL PERF_EVENT "
        "SCHED_CLS SOCK_OPS STRUCT_OPS SYSCALL TRACEPOINT TRACING XDP",
    "cpumask": "PERF_EVENT STRUCT_OPS SYSCALL TRACEPOINT TRACING",
    "syscall": "SYSCALL",
    "crypto": "SCHED_ACT SCHED_CLS XDP",
    "net": "SCHED_CLS XDP",
    "skb":
        "CGROUP_DEVICE CGROUP_SKB CGROUP_SOCK CGROUP_SOCKOPT CGROUP_SOCK_ADDR CGROUP_SYSCTL LWT_IN LWT_OUT "
        "LWT_SEG6LOCAL LWT_XMIT NETFILTER PERF_EVENT SCHED_ACT SCHED_CLS SK_SKB SOCKET_FILTER SOCK_OPS "
        "TRACEPOINT TRACING",
    "tc": "SCHED_ACT SCHED_CLS",
    "xdp": "XDP",
    "test": "PERF_EVENT SCHED_CLS SYSCALL TRACEPOINT TRACING",
    "cls": "SCHED_CLS",
    "cgroup": "CGROUP_DEVICE CGROUP_SKB CGROUP_SOCK CGROUP_SOCKOPT CGROUP_SOCK_ADDR CGROUP_SYSCTL SOCK_OPS",
    "tracing": "TRACING",
    "lsm": "LSM",  # bpf_fs_kfunc_set_ids; not measured
    "session": "KPROBE",  # of kprobe.session; not measured
    "rstat": "PERF_EVENT TRACEPOINT TRACING",
}

# fmt: off
_TABLE: Final = """
__bpf_trap                                   6.16  any
__scx_bpf_dsq_insert_vtime                   6.19  -          rcu
__scx_bpf_select_cpu_and                     6.19  -          rcu
bbr_cwnd_event                               5.13  struct_ops
bbr_cwnd_event_tx_start                      7.1   -
bbr_init                                     5.13  struct_ops
bbr_main                                     5.13  struct_ops
bbr_min_tso_segs                             5.13  struct_ops
bbr_set_state                                5.13  struct_ops
bbr_sndbuf_expand                            5.13  struct_ops
bbr_ssthresh                                 5.13  struct_ops
bbr_undo_cwnd                                5.13  struct_ops
bpf_arena_alloc_pages                        6.9   any        trusted sleeps null
bpf_arena_free_pages                         6.9   any        trusted sleeps
bpf_arena_reserve_pages                      6.17  any        trusted sleeps
bpf_cast_to_kern_ctx                         6.2   any
bpf_cgroup_acquire                           6.2   generic    acquire rcu null
bpf_cgroup_ancestor                          6.2   generic    acquire rcu null
bpf_cgroup_from_id                           6.4   generic    acquire null
bpf_cgroup_read_xattr                        6.17  any        rcu
bpf_cgroup_release                           6.2   generic    release
bpf_copy_from_user_dynptr                    6.16  any        sleeps
bpf_copy_from_user_str                       6.12  any        sleeps
bpf_copy_from_user_str_dynptr                6.16  any        sleeps
bpf_copy_from_user_task_dynptr               6.16  any        sleeps trusted
bpf_copy_from_user_task_str                  6.15  any        sleeps
bpf_copy_from_user_task_str_dynptr           6.16  any        sleeps trusted
bpf_cpumask_acquire                          6.3   cpumask    acquire trusted
bpf_cpumask_and                              6.3   cpumask    rcu
bpf_cpumask_any_and_distribute               6.5   cpumask    rcu
bpf_cpumask_any_distribute                   6.5   cpumask    rcu
bpf_cpumask_clear                            6.3   cpumask    rcu
bpf_cpumask_clear_cpu                        6.3   cpumask    rcu
bpf_cpumask_copy                             6.3   cpumask    rcu
bpf_cpumask_create                           6.3   cpumask    acquire null
bpf_cpumask_empty                            6.3   cpumask    rcu
bpf_cpumask_equal                            6.3   cpumask    rcu
bpf_cpumask_first                            6.3   cpumask    rcu
bpf_cpumask_first_and                        6.5   cpumask    rcu
bpf_cpumask_first_zero                       6.3   cpumask    rcu
bpf_cpumask_full                             6.3   cpumask    rcu
bpf_cpumask_intersects                       6.3   cpumask    rcu
bpf_cpumask_or                               6.3   cpumask    rcu
bpf_cpumask_populate                         6.15  cpumask    rcu
bpf_cpumask_release                          6.3   cpumask    release
bpf_cpumask_set_cpu                          6.3   cpumask    rcu
bpf_cpumask_setall                           6.3   cpumask    rcu
bpf_cpumask_subset                           6.3   cpumask    rcu
bpf_cpumask_test_and_clear_cpu               6.3   cpumask    rcu
bpf_cpumask_test_and_set_cpu                 6.3   cpumask    rcu
bpf_cpumask_test_cpu                         6.3   cpumask    rcu
bpf_cpumask_weight                           6.8   cpumask    rcu
bpf_cpumask_xor                              6.3   cpumask    rcu
bpf_crypto_ctx_acquire                       6.10  syscall    acquire rcu null
bpf_crypto_ctx_create                        6.10  syscall    acquire null sleeps
bpf_crypto_ctx_release                       6.10  syscall    release
bpf_crypto_decrypt                           6.10  crypto     rcu
bpf_crypto_encrypt                           6.10  crypto     rcu
bpf_ct_change_status                         6.0   net        trusted
bpf_ct_change_timeout                        6.0   net        trusted
bpf_ct_insert_entry                          6.0   net        acquire null release
bpf_ct_release                               5.18  net        release
bpf_ct_set_nat_info                          6.1   net        trusted
bpf_ct_set_status                            6.0   net        trusted
bpf_ct_set_timeout                           6.0   net        trusted
bpf_dynptr_adjust                            6.5   any
bpf_dynptr_clone                             6.5   any
bpf_dynptr_copy                              6.15  any
bpf_dynptr_file_discard                      6.19  -
bpf_dynptr_from_file                         6.19  -          trusted
bpf_dynptr_from_skb                          6.4   skb        trusted
bpf_dynptr_from_skb_meta                     6.18  tc         trusted
bpf_dynptr_from_xdp                          6.4   xdp
bpf_dynptr_is_null                           6.5   any
bpf_dynptr_is_rdonly                         5.19  any
bpf_dynptr_memset                            6.17  any
bpf_dynptr_size                              6.5   any
bpf_dynptr_slice                             6.4   any        null
bpf_dynptr_slice_rdwr                        6.4   any        null
bpf_fentry_test1                             -     -
bpf_get_dentry_xattr                         6.12  lsm        sleeps trusted
bpf_get_file_xattr                           6.8   lsm        sleeps trusted
bpf_get_fsverity_digest                      6.8   -          trusted
bpf_get_kmem_cache                           6.13  any
bpf_get_task_exe_file                        6.12  lsm        acquire trusted null
bpf_io_uring_get_region                      7.1   -          null
bpf_io_uring_submit_sqes                     7.1   -          sleeps
bpf_iter_bits_destroy                        6.11  any
bpf_iter_bits_new                            6.11  any
bpf_iter_bits_next                           6.11  any        null
bpf_iter_css_destroy                         6.7   any
bpf_iter_css_new                             6.7   any        trusted in_rcu
bpf_iter_css_next                            6.7   any        null
bpf_iter_css_task_destroy                    6.7   any
bpf_iter_css_task_new                        6.7   any        trusted
bpf_iter_css_task_next                       6.7   any        null
bpf_iter_dmabuf_destroy                      6.16  any        sleeps
bpf_iter_dmabuf_new                          6.16  any        sleeps
bpf_iter_dmabuf_next                         6.16  any        null sleeps
bpf_iter_kmem_cache_destroy                  6.13  any        sleeps
bpf_iter_kmem_cache_new                      6.13  any        sleeps
bpf_iter_kmem_cache_next                     6.13  any        null sleeps
bpf_iter_num_destroy                         6.4   any        locked
bpf_iter_num_new                             6.4   any        locked
bpf_iter_num_next                            6.4   any        null locked
bpf_iter_scx_dsq_destroy                     6.12  -
bpf_iter_scx_dsq_new                         6.12  -          in_rcu
bpf_iter_scx_dsq_next                        6.12  -          null
bpf_iter_task_destroy                        6.7   any
bpf_iter_task_new                            6.7   any        trusted in_rcu
bpf_iter_task_next                           6.7   any        null
bpf_iter_task_vma_destroy                    6.7   any
bpf_iter_task_vma_new                        6.7   any        rcu
bpf_iter_task_vma_next                       6.7   any        null
bpf_key_put                                  6.1   generic    release
bpf_kfree_skb                                6.16  -          trusted
bpf_kfunc_call_memb_release                  -     test
bpf_kfunc_call_test_release                  -     test
bpf_list_back                                6.16  generic    locked
bpf_list_front                               6.16  generic    locked
bpf_list_pop_back                            6.2   generic    acquire null locked
bpf_list_pop_front                           6.2   generic    acquire null locked
bpf_list_push_back                           7.1   -          locked
bpf_list_push_back_impl                      6.4   generic    locked
bpf_list_push_front                          7.1   -          locked
bpf_list_push_front_impl                     6.4   generic    locked
bpf_local_irq_restore                        6.14  any
bpf_local_irq_save                           6.14  any
bpf_lookup_system_key                        6.1   generic    acquire null
bpf_lookup_user_key                          6.1   generic    acquire null sleeps
bpf_map_sum_elem_count                       6.6   any        trusted
bpf_modify_return_test                       -     -
bpf_modify_return_test2                      -     -
bpf_modify_return_test_tp                    -     any
bpf_obj_drop                                 7.1   -          release
bpf_obj_drop_impl                            6.2   generic    release
bpf_obj_new                                  7.1   -          acquire null
bpf_obj_new_impl                             6.2   generic    acquire null
bpf_path_d_path                              6.12  lsm        trusted
bpf_percpu_obj_drop                          7.1   -          release
bpf_percpu_obj_drop_impl                     6.7   generic    release
bpf_percpu_obj_new                           7.1   -          acquire null
bpf_percpu_obj_new_impl                      6.7   generic    acquire null
bpf_preempt_disable                          6.10  any
bpf_preempt_enable                           6.10  any
bpf_probe_read_kernel_dynptr                 6.16  any
bpf_probe_read_kernel_str_dynptr             6.16  any
bpf_probe_read_user_dynptr                   6.16  any
bpf_probe_read_user_str_dynptr               6.16  any
bpf_put_file                                 6.12  lsm        release
bpf_qdisc_bstats_update                      6.16  -
bpf_qdisc_init_prologue                      6.16  -          trusted
bpf_qdisc_reset_destroy_epilogue             6.16  -          trusted
bpf_qdisc_skb_drop                           6.16  -          trusted
bpf_qdisc_watchdog_schedule                  6.16  -          trusted
bpf_rbtree_add                               7.1   -          locked
bpf_rbtree_add_impl                          6.4   generic    locked
bpf_rbtree_first                             6.3   generic    null locked
bpf_rbtree_left                              6.16  generic    locked
bpf_rbtree_remove                            6.3   generic    acquire null locked
bpf_rbtree_right                             6.16  generic    locked
bpf_rbtree_root                              6.16  generic    locked
bpf_rcu_read_lock                            6.2   any
bpf_rcu_read_unlock                          6.2   any
bpf_rdonly_cast                              6.2   any
bpf_refcount_acquire                         7.1   -          acquire null rcu
bpf_refcount_acquire_impl                    6.4   generic    acquire null rcu
bpf_remove_dentry_xattr                      6.15  lsm        sleeps trusted
bpf_res_spin_lock                            6.15  any        null locked
bpf_res_spin_lock_irqsave                    6.15  any        null locked
bpf_res_spin_unlock                          6.15  any        locked
bpf_res_spin_unlock_irqrestore               6.15  any        locked
bpf_send_signal_task                         6.13  generic    trusted
bpf_session_cookie                           6.10  session
bpf_session_is_return                        6.10  session
bpf_set_dentry_xattr                         6.15  lsm        sleeps trusted
bpf_sk_assign_tcp_reqsk                      6.11  cls        trusted
bpf_skb_ct_alloc                             6.0   net        acquire null
bpf_skb_ct_lookup                            5.18  net        acquire null
bpf_skb_get_fou_encap                        6.4   -
bpf_skb_get_hash                             6.16  -          trusted
bpf_skb_get_xfrm_info                        6.2   -
bpf_skb_set_fou_encap                        6.4   -
bpf_skb_set_xfrm_info                        6.2   -
bpf_sock_addr_set_sun_path                   6.7   cgroup
bpf_sock_destroy                             6.5   tracing    trusted
bpf_sock_ops_enable_tx_tstamp                6.15  cgroup     trusted
bpf_strcasecmp                               6.18  any
bpf_strcasestr                               6.19  -
bpf_strchr                                   6.17  any
bpf_strchrnul                                6.17  any
bpf_strcmp                                   6.17  any
bpf_strcspn                                  6.17  any
bpf_stream_print_stack                       7.0   -          trusted
bpf_stream_vprintk                           7.0   -          trusted
bpf_stream_vprintk_impl                      6.17  any        trusted
bpf_strlen                                   6.17  any
bpf_strncasecmp                              7.0   -
bpf_strncasestr                              6.19  -
bpf_strnchr                                  6.17  any
bpf_strnlen                                  -     any
bpf_strnstr                                  6.17  any
bpf_strrchr                                  6.17  any
bpf_strspn                                   6.17  any
bpf_strstr                                   6.17  any
bpf_task_acquire                             6.2   generic    acquire rcu null
bpf_task_from_pid                            6.2   generic    acquire null
bpf_task_from_vpid                           6.13  generic    acquire null
bpf_task_get_cgroup1                         6.8   generic    acquire rcu null
bpf_task_release                             6.2   generic    release
bpf_task_under_cgroup                        6.5   generic    rcu
bpf_task_work_schedule_resume                7.0   -          trusted
bpf_task_work_schedule_resume_impl           6.18  any        trusted
bpf_task_work_schedule_signal                7.0   -          trusted
bpf_task_work_schedule_signal_impl           6.18  any        trusted
bpf_throw                                    6.7   generic
bpf_timer_cancel_async                       7.0   -
bpf_verify_pkcs7_signature                   6.1   -          sleeps
bpf_wq_init                                  6.10  any
bpf_wq_set_callback                          7.0   -
bpf_wq_set_callback_impl                     6.10  any
bpf_wq_start                                 6.10  any
bpf_xdp_ct_alloc                             6.0   net        acquire null
bpf_xdp_ct_lookup                            5.18  net        acquire null
bpf_xdp_flow_lookup                          6.11  -          trusted null
bpf_xdp_get_xfrm_state                       6.8   xdp        null acquire
bpf_xdp_metadata_rx_hash                     6.3   any
bpf_xdp_metadata_rx_timestamp                6.3   any
bpf_xdp_metadata_rx_vlan_tag                 6.8   any
bpf_xdp_pull_data                            6.18  xdp
bpf_xdp_xfrm_state_release                   6.8   xdp        release
cgroup_rstat_flush                           6.1   -          sleeps
cgroup_rstat_updated                         6.1   -
crash_kexec                                  6.1   -
css_rstat_flush                              6.16  rstat      sleeps
css_rstat_updated                            6.16  rstat
cubictcp_acked                               5.13  struct_ops
cubictcp_cong_avoid                          5.13  struct_ops
cubictcp_cwnd_event                          5.13  struct_ops
cubictcp_cwnd_event_tx_start                 7.1   -
cubictcp_init                                5.13  struct_ops
cubictcp_recalc_ssthresh                     5.13  struct_ops
cubictcp_state                               5.13  struct_ops
dctcp_cwnd_event                             5.13  -
dctcp_cwnd_event_tx_start                    7.1   -
dctcp_cwnd_undo                              5.13  -
dctcp_init                                   5.13  -
dctcp_ssthresh                               5.13  -
dctcp_state                                  5.13  -
dctcp_update_alpha                           5.13  -
hid_bpf_allocate_context                     6.3   -
hid_bpf_attach_prog                          6.3   -
hid_bpf_get_data                             6.3   -
hid_bpf_hw_output_report                     6.10  -
hid_bpf_hw_request                           6.3   -
hid_bpf_input_report                         6.10  -
hid_bpf_release_context                      6.3   -
hid_bpf_try_input_report                     6.11  -
scx_bpf_consume                              6.12  -
scx_bpf_cpu_curr                             6.18  -          null in_rcu
scx_bpf_cpu_node                             6.15  -
scx_bpf_cpu_rq                               6.12  -
scx_bpf_cpuperf_cap                          6.12  -
scx_bpf_cpuperf_cur                          6.12  -
scx_bpf_cpuperf_set                          6.12  -
scx_bpf_create_dsq                           6.12  -          sleeps
scx_bpf_destroy_dsq                          6.12  -
scx_bpf_dispatch                             6.12  -          rcu
scx_bpf_dispatch_cancel                      6.12  -
scx_bpf_dispatch_from_dsq                    6.12  -          rcu
scx_bpf_dispatch_from_dsq_set_slice          6.12  -
scx_bpf_dispatch_from_dsq_set_vtime          6.12  -
scx_bpf_dispatch_nr_slots                    6.12  -
scx_bpf_dispatch_vtime                       6.12  -          rcu
scx_bpf_dispatch_vtime_from_dsq              6.12  -          rcu
scx_bpf_dsq_insert                           6.13  -          rcu
scx_bpf_dsq_insert___v2                      6.19  -          rcu
scx_bpf_dsq_insert_vtime                     6.13  -          rcu
scx_bpf_dsq_move                             6.13  -          rcu
scx_bpf_dsq_move_set_slice                   6.13  -
scx_bpf_dsq_move_set_vtime                   6.13  -
scx_bpf_dsq_move_to_local                    6.13  -
scx_bpf_dsq_move_to_local___v2               7.1   -
scx_bpf_dsq_move_vtime                       6.13  -          rcu
scx_bpf_dsq_nr_queued                        6.12  -
scx_bpf_dsq_peek                             6.19  -          in_rcu null
scx_bpf_dsq_reenq                            7.1   -
scx_bpf_dump_bstr                            6.12  -          trusted
scx_bpf_error_bstr                           6.12  -          trusted
scx_bpf_events                               6.15  -          trusted
scx_bpf_exit_bstr                            6.12  -          trusted
scx_bpf_get_idle_cpumask                     6.12  -          acquire
scx_bpf_get_idle_cpumask_node                6.15  -          acquire
scx_bpf_get_idle_smtmask                     6.12  -          acquire
scx_bpf_get_idle_smtmask_node                6.15  -          acquire
scx_bpf_get_online_cpumask                   6.12  -          acquire
scx_bpf_get_possible_cpumask                 6.12  -          acquire
scx_bpf_kick_cpu                             6.12  -
scx_bpf_locked_rq                            6.18  -          null
scx_bpf_now                                  6.14  -
scx_bpf_nr_cpu_ids                           6.12  -
scx_bpf_nr_node_ids                          6.15  -
scx_bpf_pick_any_cpu                         6.12  -          rcu
scx_bpf_pick_any_cpu_node                    6.15  -          rcu
scx_bpf_pick_idle_cpu                        6.12  -          rcu
scx_bpf_pick_idle_cpu_node                   6.15  -          rcu
scx_bpf_put_cpumask                          6.12  -          release
scx_bpf_put_idle_cpumask                     6.12  -          release
scx_bpf_reenqueue_local                      6.12  -
scx_bpf_reenqueue_local___v2                 6.19  -
scx_bpf_select_cpu_and                       6.16  -          rcu
scx_bpf_select_cpu_dfl                       6.12  -          rcu
scx_bpf_sub_dispatch                         7.1   -
scx_bpf_task_cgroup                          6.12  -          rcu acquire
scx_bpf_task_cpu                             6.12  -          rcu
scx_bpf_task_running                         6.12  -          rcu
scx_bpf_task_set_dsq_vtime                   6.19  -          rcu
scx_bpf_task_set_slice                       6.19  -          rcu
scx_bpf_test_and_clear_cpu_idle              6.12  -
tcp_cong_avoid_ai                            5.13  struct_ops
tcp_reno_cong_avoid                          5.13  struct_ops
tcp_reno_ssthresh                            5.13  struct_ops
tcp_reno_undo_cwnd                           5.13  struct_ops
tcp_slow_start                               5.13  struct_ops
"""
# fmt: on


class Kfunc(NamedTuple):
    """One row. `since`: "" if not known; `types`: program types that may call it, empty if not known."""

    name: str
    since: str = ""
    types: frozenset[int] = frozenset()
    flags: frozenset[str] = frozenset()


# What gives back an object of this type: the release whose argument it is.
RELEASES: Final = {
    "task_struct": "bpf_task_release", "cgroup": "bpf_cgroup_release", "bpf_cpumask": "bpf_cpumask_release",
    "bpf_crypto_ctx": "bpf_crypto_ctx_release", "nf_conn": "bpf_ct_release", "nf_conn___init": "bpf_ct_release",
    "bpf_key": "bpf_key_put", "file": "bpf_put_file", "xfrm_state": "bpf_xdp_xfrm_state_release",
    "cpumask": "scx_bpf_put_cpumask",
}
IDLE: Final = "scx_bpf_put_idle_cpumask"  # for what scx_bpf_get_idle_… gives


def find(name: str) -> Kfunc:
    """The row of a kernel function; one that says nothing for those not listed."""
    return _rows().get(name) or Kfunc(name)


def release_of(name: str, struct: str) -> str:
    """What gives back an object of type `struct` that `name` has acquired; "" if that is not known."""
    return IDLE if "_get_idle_" in name else RELEASES.get(struct, "")


_read: dict[str, Kfunc] = {}


def _rows() -> dict[str, Kfunc]:
    """The table, read when first asked."""
    if not _read:
        groups = {name: frozenset(int(getattr(ProgType, word)) for word in text.split()) for name, text in GROUPS.items()}
        for line in _TABLE.split("\n"):
            if line:
                name, since, group, *flags = line.split()
                _read[name] = Kfunc(name, "" if since == "-" else since, groups.get(group, frozenset()), frozenset(flags))
    return _read


def names() -> list[str]:
    """All that are listed."""
    return list(_rows())
