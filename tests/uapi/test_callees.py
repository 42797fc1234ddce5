"""One row for each function of the kernel, helper or kfunc, from all the tables that know of it."""

from __future__ import annotations

from purebpf.uapi import callees, kfuncs, versions
from purebpf.uapi.enums import ProgType
from purebpf.uapi.helpers import IDS


def test_every_helper_has_a_row_with_its_first_kernel() -> None:
    for name in IDS:
        row = callees.helper(name)
        assert row.name == name and row.since == versions.helper(name) and not (row.same and row.writes)


def test_every_listed_kernel_function_has_a_row() -> None:
    for name in kfuncs.names():
        row = callees.kfunc(name)
        assert row.gpl and row.takes == ("release" in kfuncs.find(name).flags)


def test_what_is_read_of_several_tables() -> None:
    move, lock = callees.helper("xdp_adjust_head"), callees.helper("spin_lock")
    assert move.moves and move.types is not None and ProgType.XDP in move.types and ProgType.SCHED_CLS not in move.types
    assert lock.locked and not callees.helper("ktime_get_ns").locked
    task = callees.kfunc("bpf_task_from_pid")
    assert task.types is not None and {ProgType.TRACING, ProgType.LSM} <= task.types and not task.locked
    assert callees.kfunc("bpf_rbtree_add_impl").locked
