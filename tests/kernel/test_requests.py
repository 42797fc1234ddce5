"""What the kernel is asked for when a program is attached, row by row: for kinds that this kernel lacks, this is all there is to see.

The system calls are caught before the kernel; a program is loaded as another type, and shown as that of its section.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from errno import EOPNOTSUPP
from typing import Any, NamedTuple

import pytest

from purebpf import loader
from purebpf.errors import PureBpfError
from purebpf.loader import bpf, links, netlink, perf, tracefs
from purebpf.uapi import hooks
from purebpf.uapi.enums import AttachFlag, AttachType
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel
A, F = AttachType, AttachFlag
LO = socket.if_nametoindex("lo")


class Asked(NamedTuple):
    """A section, what attach() is given, the call, and the fields that it must have (others may)."""

    section: str
    target: Any
    options: dict[str, Any]
    call: str
    fields: dict[str, Any]


OTHER = object()  # stands for another loaded program or link, whose descriptor is wanted

ROWS = [
    Asked("netkit/primary", "lo", {}, "link_create", {"target": LO, "kind": A.NETKIT_PRIMARY}),
    Asked("netkit/peer", LO, {"before": True}, "link_create", {"target": LO, "kind": A.NETKIT_PEER, "flags": F.BEFORE}),
    Asked("netkit/primary", "lo", {"after": OTHER, "expected_revision": 7}, "link_create",
          {"flags": F.AFTER, "netkit__relative_fd": OTHER, "netkit__expected_revision": 7}),
    Asked("tcx/ingress", "lo", {}, "link_create", {"target": LO, "kind": A.TCX_INGRESS}),
    Asked("tcx/egress", "lo", {"expected_revision": 3}, "link_create", {"kind": A.TCX_EGRESS, "tcx__expected_revision": 3, "flags": 0}),
    Asked("tc", "lo", {"direction": "egress", "before": OTHER}, "link_create",
          {"kind": A.TCX_EGRESS, "flags": F.BEFORE, "tcx__relative_fd": OTHER}),
    Asked("xdp", "lo", {}, "link_create", {"target": LO, "kind": A.XDP, "flags": 0}),
    Asked("xdp", "lo", {"mode": "generic"}, "link_create", {"flags": 2}), Asked("xdp", "lo", {"mode": "native"}, "link_create", {"flags": 4}),
    Asked("xdp", "lo", {"mode": "offload"}, "link_create", {"flags": 8}),
    Asked("kprobe/do_exit", None, {}, "open_kprobe", {"symbol": "do_exit", "offset": 0, "ret": False}),
    Asked("kprobe", "do_exit+0x10", {}, "open_kprobe", {"symbol": "do_exit", "offset": 16}),
    Asked("kretprobe/do_exit", None, {}, "open_kprobe", {"symbol": "do_exit", "ret": True}),
    Asked("ksyscall/openat", None, {}, "open_kprobe", {"offset": 0, "ret": False}),
    Asked("kretsyscall/openat", None, {}, "open_kprobe", {"ret": True}),
    Asked("kprobe.multi/tcp_conn*", None, {}, "link_create", {"kind": A.TRACE_KPROBE_MULTI, "kprobe_multi__flags": 0}),
    Asked("kretprobe.multi/tcp_conn*", None, {}, "link_create", {"kind": A.TRACE_KPROBE_MULTI, "kprobe_multi__flags": 1}),
    Asked("kprobe.session/tcp_conn*", None, {}, "link_create", {"kind": A.TRACE_KPROBE_SESSION, "kprobe_multi__flags": 0}),
    Asked("uprobe.multi/libc.so.6:getppi?", None, {"pid": 7}, "link_create",
          {"kind": A.TRACE_UPROBE_MULTI, "uprobe_multi__pid": 7, "uprobe_multi__flags": 0}),
    Asked("uretprobe.multi/libc.so.6:getppi?", None, {}, "link_create", {"uprobe_multi__flags": 1}),
    Asked("fentry/do_nanosleep", None, {}, "raw_tracepoint_open", {"name": ""}),
    Asked("fexit/do_nanosleep", None, {"cookie": 5}, "link_create", {"kind": A.TRACE_FEXIT, "target": 0, "tracing__cookie": 5}),
    Asked("fmod_ret/do_nanosleep", None, {}, "raw_tracepoint_open", {"name": ""}),
    Asked("lsm/file_open", None, {}, "raw_tracepoint_open", {"name": ""}),
    Asked("freplace/f", None, {}, "raw_tracepoint_open", {"name": ""}),
    Asked("raw_tp/sched_switch", None, {"cookie": 9}, "raw_tracepoint_open", {"name": "sched_switch", "cookie": 9}),
    Asked("lsm_cgroup/socket_create", "/tmp", {}, "link_create", {"kind": A.LSM_CGROUP}),
    Asked("cgroup/connect4", "/tmp", {"preorder": True}, "link_create", {"kind": A.CGROUP_INET4_CONNECT, "flags": F.PREORDER}),
    Asked("cgroup/connect4", "/tmp", {"after": OTHER}, "link_create", {"flags": F.AFTER, "cgroup__relative_fd": OTHER}),
    Asked("netfilter", "ipv6:forward", {"priority": 5, "defrag": True}, "link_create",
          {"netfilter__pf": 10, "netfilter__hooknum": 2, "netfilter__priority": 5, "netfilter__flags": 1}),
    Asked("sk_lookup", "/proc/self/ns/net", {}, "link_create", {"kind": A.SK_LOOKUP}),
    Asked("perf_event", "cycles", {"frequency": 99, "cpu": 0}, "open_sampling", {"event": "cycles", "frequency": 99, "cpu": 0}),
    Asked("perf_event", "LLC-load-misses", {"period": 1000, "pid": 1}, "open_sampling", {"period": 1000, "pid": 1, "cpu": -1}),
]


class Caught(Exception):
    """A system call, instead of being made."""

    def __init__(self, call: str, fields: dict[str, Any]) -> None:
        super().__init__(call)
        self.call, self.fields = call, fields


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(call: str, names: tuple[str, ...]) -> Any:
        def instead(*arguments: Any, **named: Any) -> Any:
            raise Caught(call, {"flags": 0, **dict(zip(names, arguments)), **named})
        return instead

    monkeypatch.setattr(bpf, "link_create", stop("link_create", ("program", "target", "kind")))
    monkeypatch.setattr(bpf, "raw_tracepoint_open", stop("raw_tracepoint_open", ("program", "name", "cookie")))
    monkeypatch.setattr(perf, "open_kprobe", stop("open_kprobe", ("symbol", "offset")))
    monkeypatch.setattr(perf, "open_sampling", stop("open_sampling", ("event",)))
    monkeypatch.setattr(tracefs, "probeable_functions", lambda: ["tcp_connect", "tcp_conn_request", "udp_sendmsg"])


@pytest.fixture
def programs() -> Iterator[tuple[loader.LoadedProgram, loader.LoadedProgram]]:
    with loader.load(obj("xdp", "r0 = 2\nexit")) as one, loader.load(obj("xdp", "r0 = 2\nexit")) as other:
        yield one["prog"], other["prog"]


@pytest.mark.filterwarnings("ignore:.*will never run:RuntimeWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join([row.section, *row.options]))
def test_what_is_asked(row: Asked, caught: None, programs: Any) -> None:
    program, other = programs
    hook = hooks.match(row.section)
    assert hook is not None
    program.spec = program.spec._replace(section=row.section, prog_type=hook.prog_type, attach_type=hook.attach_type,
                                         attach_to=hooks.target(row.section))
    options = {name: other if value is OTHER else value for name, value in row.options.items()}
    with pytest.raises(Caught) as found:
        links.attach(program, row.target, **options)
    assert found.value.call == row.call
    for name, value in row.fields.items():
        assert found.value.fields.get(name) == (other.fileno() if value is OTHER else value), (name, found.value.fields)


def test_the_row_of_every_kind_is_asked_for() -> None:
    """Every kind of link is attached for real in test_matrix or asked for here."""
    asked = {kind.name for row in ROWS if (kind := links.BY_SECTION.get(links._base(row.section)))}
    assert asked >= {name for name in links.BY_SECTION if name.startswith(("kprobe", "kretprobe", "ksyscall", "kretsyscall"))}


# ── netlink, beside pyroute2 ─────────────────────────────────────────────────────────────────────────────────────────


def test_filters_and_xdp_as_pyroute2_sees_them(netns: None) -> None:
    """What we put at an interface, and what somebody else did: both sides see the same."""
    pyroute2 = pytest.importorskip("pyroute2")
    from tests.kernel.test_links import counter

    with loader.load(counter("tc")) as tc, loader.load(counter("xdp", 2)) as xdp, pyroute2.IPRoute() as ip:
        tc["prog"].attach("lo", via="clsact", priority=7)
        tc["prog"].attach("lo", via="clsact", direction="egress")
        xdp["prog"].attach("lo", mode="generic", via="netlink")
        number = tc["prog"].info.id
        for parent, ours in ((netlink.INGRESS, "ingress"), (netlink.EGRESS, "egress")):
            theirs = [one for one in ip.get_filters(index=1, parent=parent) if one.get_attr("TCA_OPTIONS")]
            mine = netlink.tc_filters(1, parent)
            assert [(m.prog_id, m.direction, m.name) for m in mine] == [(number, ours, "prog")]
            assert [(t.get_attr("TCA_OPTIONS").get_attr("TCA_BPF_NAME"), t["info"] >> 16, t["handle"], t["parent"]) for t in theirs] == [
                (m.name, m.priority, m.handle, m.parent) for m in mine]
        link = ip.get_links(1)[0].get_attr("IFLA_XDP")
        assert link.get_attr("IFLA_XDP_ATTACHED") == "xdpgeneric" and link.get_attr("IFLA_XDP_PROG_ID") == xdp["prog"].info.id
        assert netlink.xdp_of(1) == [("generic", xdp["prog"].info.id)]
        ip.tc("add-filter", "bpf", 1, ":1", fd=tc["prog"].fileno(), name="theirs", parent="ffff:fff2", classid=1, direct_action=True)
        found = {one.name: one.prog_id for one in netlink.tc_filters(1, netlink.INGRESS)}
        assert found == {"prog": number, "theirs": number}
        next(one for one in netlink.tc_filters(1, netlink.INGRESS) if one.name == "theirs").remove()
    assert netlink.tc_filters(1, netlink.INGRESS) == [] and netlink.xdp_of(1) == []


def test_a_refusal_closes_what_was_opened(monkeypatch: pytest.MonkeyPatch, programs: Any) -> None:
    monkeypatch.setattr(bpf, "link_create", lambda *a, **k: -EOPNOTSUPP)
    with pytest.raises(PureBpfError):
        programs[0].attach("lo", mode="generic")
