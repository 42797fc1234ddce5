"""When helpers came to the types of programs: the table, and what kernels were measured to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from purebpf.uapi import callees, callers, versions
from purebpf.uapi.enums import ProgType
from purebpf.uapi.helpers import IDS


@pytest.mark.parametrize("names", callers.LATER)
def test_a_row_names_real_things_in_order(names: str) -> None:
    assert set(names.split()) <= set(IDS)
    releases = [row.split()[0] for row in callers.LATER[names] if row[0].isdigit()]
    assert releases == sorted(releases, key=versions.number)
    assert all(versions.number(r) > (5, 10) for r in releases)  # what every kernel has that objects are made for needs no row
    types = [one for row in callers.LATER[names] for one in row.split() if not one[0].isdigit()]
    assert len(types) == len(set(types)) and all(hasattr(ProgType, one) for one in types)
    for name in names.split():
        assert all(versions.has(r, versions.helper(name)) for r in releases)
        may = callers.types(name)
        assert may is None or {int(getattr(ProgType, one)) for one in types} <= may


@pytest.mark.parametrize(("helper", "prog_type", "release"), [
    ("get_current_comm", ProgType.KPROBE, "4.2"), ("get_current_comm", ProgType.CGROUP_SYSCTL, "6.1"),
    ("get_current_comm", ProgType.XDP, "6.16"), ("get_current_pid_tgid", ProgType.SCHED_ACT, "6.10"),
    ("get_attach_cookie", ProgType.RAW_TRACEPOINT_WRITABLE, "6.10"), ("get_attach_cookie", ProgType.KPROBE, "5.15"),
    ("map_lookup_elem", ProgType.XDP, "3.18"), ("get_socket_cookie", ProgType.XDP, "4.12"), ("strtol", ProgType.XDP, "6.1"),
])
def test_first(helper: str, prog_type: int, release: str) -> None:
    assert callees.helper(helper).first(prog_type) == release


# What a call alone does not show: it depends on the attach type, on how the kernel was built, or on its being locked down.
ELSEWHERE = {"override_return", "get_retval", "set_retval", "setsockopt", "getsockopt", "probe_write_user", "skb_pull_data"}
MEASURED = [line.split() for line in (Path(__file__).parent / "measured.txt").read_text().splitlines()]


@pytest.mark.parametrize(("kernel", "type", "mask"), MEASURED, ids=lambda one: one[:20])
def test_kernels_were_seen_to_say_the_same(kernel: str, type: str, mask: str) -> None:
    """tools/measure_helpers.py has asked them."""
    kind = int(getattr(ProgType, type))
    for name, number in IDS.items():
        row = callees.helper(name)
        first = row.first(kind)
        if first and name not in ELSEWHERE:
            says = versions.has(kernel, first) and (row.types is None or kind in row.types)
            assert says == bool(int(mask, 16) >> number & 1), f"{name}: from {first} on"


def test_many_were_asked() -> None:
    assert {kernel for kernel, _, _ in MEASURED} == {"5.10", "6.1", "6.12", "6.16", "6.18"} and len(MEASURED) > 130
