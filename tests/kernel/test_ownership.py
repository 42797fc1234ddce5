"""Who owns an attachment: the object whose program it attaches, until it is disowned; and a request is undone like a link."""

from __future__ import annotations

import gc
import os
import socket
import struct
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from purebpf import loader
from purebpf.errors import AttachError, KernelError
from purebpf.loader import netlink
from purebpf.loader.refusals import older_than
from purebpf.spec import MapSpec
from tests.kernel import net
from tests.kernel.test_links import FRAME, counter, getpgid, grows

pytestmark = pytest.mark.kernel


def send_lo() -> None:
    net.send_raw("lo", FRAME)


WAYS: dict[str, tuple[str, int, dict[str, Any]]] = {  # every way to the interface: section, result, options
    "xdp link": ("xdp", 2, {"mode": "generic"}), "xdp netlink": ("xdp", 2, {"mode": "generic", "via": "netlink"}),
    "tcx": ("tc", 0, {"via": "tcx"}), "clsact": ("tc", 0, {"via": "clsact"})}


@pytest.fixture(params=[name for name in WAYS if name != "tcx" or not older_than("6.6")])
def way(request: pytest.FixtureRequest, netns: None) -> tuple[str, int, dict[str, Any]]:
    return WAYS[request.param]


def test_a_result_that_nobody_keeps_stays_attached(way: tuple[str, int, dict[str, Any]]) -> None:
    section, result, options = way
    with loader.load(counter(section, result)) as k:
        k["prog"].attach("lo", **options)
        gc.collect()
        assert len(k.links) == 1 and not k.links[0].closed
        assert grows(k, send_lo)
        hits = k["hits"]
        k.links[0].close()
        assert k.links == [] and not grows(k, send_lo)
        k["prog"].attach("lo", **options)
    assert netlink.xdp_everywhere() == [] and netlink.tc_filters(1, netlink.INGRESS) == []
    with pytest.raises(ValueError):
        hits.value  # noqa: B018 - the object is closed


def test_what_is_disowned_outlives_the_object_and_is_still_undone(way: tuple[str, int, dict[str, Any]]) -> None:
    section, result, options = way
    with loader.load(counter(section, result)) as outer:
        with loader.load(counter(section, result), maps={}) as k:
            link = k["prog"].attach("lo", **options).disown()
            assert k.links == []
        assert not link.closed and outer.links == []
        there = len(netlink.xdp_everywhere()) + len(netlink.tc_filters(1, netlink.INGRESS))
        assert there == 1 or options.get("via") == "tcx"
        link.close()
        assert netlink.xdp_everywhere() == [] and netlink.tc_filters(1, netlink.INGRESS) == []


@pytest.mark.parametrize("name", ["xdp netlink", "clsact"])
def test_a_forgotten_request_is_undone_with_a_warning(netns: None, name: str) -> None:
    section, result, options = WAYS[name]
    with loader.load(counter(section, result)) as k:
        link = k["prog"].attach("lo", **options).disown()
        assert grows(k, send_lo)
        with pytest.warns(ResourceWarning, match="was never detached"):
            del link
            gc.collect()
        assert not grows(k, send_lo)


def test_a_forked_child_undoes_nothing_of_its_parent(netns: None) -> None:
    with loader.load(counter("tc")) as k:
        k["prog"].attach("lo", via="clsact")
        child = os.fork()
        if not child:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    k.links[0].close()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert grows(k, send_lo)


def test_what_python_leaves_behind_is_undone_when_it_ends(netns: None) -> None:
    """Neither closed nor collected: the end of the process undoes it."""
    child = os.fork()
    if not child:
        status = 1
        try:
            import atexit

            k = loader.load(counter("tc"))
            k["prog"].attach("lo", via="clsact").disown()
            globals()["_kept"] = k
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                atexit._run_exitfuncs()
            status = len(netlink.tc_filters(1, netlink.INGRESS))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_xdp_by_netlink_respects_who_is_there(netns: None) -> None:
    with loader.load(counter("xdp", 2)) as one, loader.load(counter("xdp", 2)) as two:
        first = one["prog"].attach("lo", mode="generic", via="netlink")
        number = one["prog"].info.id
        for options in ({"via": "netlink"}, {"via": "link"}):
            with pytest.raises(AttachError, match=f"generic program {number}"):
                two["prog"].attach("lo", mode="generic", **options)
        two["prog"].attach("lo", mode="generic", replace=one["prog"])
        assert grows(two, send_lo) and not grows(one, send_lo)
        first.close()  # ours is gone: what is there now stays
        assert grows(two, send_lo)
    with loader.load(counter("xdp", 2)) as k:
        link = k["prog"].attach("lo", mode="generic")
        with pytest.raises(AttachError, match=f"of link {link.id}"):
            k["prog"].attach("lo", mode="generic")


def test_a_reuseport_program_is_taken_off() -> None:
    with loader.load(counter("sk_reuseport", 1)) as k, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))

        def send() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", server.getsockname())

        link = k["prog"].attach(server)
        assert not link.closed and grows(k, send, 1)
        link.close()
        assert link.closed and not grows(k, send)


def test_a_socket_filter_is_taken_off_once() -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other, loader.load(counter("socket", -1)) as k:
        link = k["prog"].attach(other)
        assert grows(k, lambda: one.send(b"x"))
        link.close()
        assert not grows(k, lambda: one.send(b"x"))
        k["prog"].attach(other)
        other.setsockopt(socket.SOL_SOCKET, 27, 0)  # somebody else took it off
    closed = socket.socket()
    with loader.load(counter("socket", -1)) as k:
        k["prog"].attach(closed)
        closed.close()


@pytest.mark.parametrize("through", ["link", "request"])
def test_a_sockmap_program_holds_nothing_when_forgotten(monkeypatch: pytest.MonkeyPatch, through: str) -> None:
    from purebpf.loader import bpf

    if through == "request":
        monkeypatch.setattr(bpf, "link_create", lambda *a, **b: -22)
    spec = counter("sk_skb/verdict", 1)
    spec = spec._replace(maps={"socks": MapSpec("socks", 15, 4, 4, 4)})
    with loader.load(spec) as k, socket.create_server(("127.0.0.1", 0)) as server:
        k["prog"].attach(k["socks"])
        with socket.create_connection(server.getsockname()) as client, server.accept()[0] as peer:
            k["socks"][0] = peer
            assert grows(k, lambda: client.send(struct.pack("I", 1)), 2)
            k.links[0].close()
            del k["socks"][0]  # a socket keeps the programs that it met when it came into the map
            k["socks"][0] = peer
            assert not grows(k, lambda: client.send(b"x"))


def test_probing_touches_nobody_elses_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import bpf
    from purebpf.loader.probes import FEATURES, Probes

    monkeypatch.setattr(bpf, "map_create", lambda *a, **b: -1)
    before = sorted(os.listdir("/proc/self/fd"))
    asked: list[Callable[[], bool]] = [lambda: Probes().map_type("ARRAY_OF_MAPS"), FEATURES["batches"]]
    for ask in asked:
        with pytest.raises(KernelError):
            ask()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_closing_closes_links_first_and_all_of_them() -> None:
    with loader.load(counter("raw_tp/sys_enter")) as k:
        links = [k["prog"].attach() for _ in range(3)]
        links[1].close()
        assert k.links == [links[0], links[2]]
        assert k.unattached() == {}
    assert all(link.closed for link in links) and k.links == []
    with pytest.raises(ValueError, match="is closed"):
        links[0].id  # noqa: B018
    getpgid()


def test_the_example_as_it_stands_sees_every_packet(netns: None, monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    """Its main block, with the waiting replaced by 40 datagrams."""
    import runpy
    import sys as python
    import time
    from pathlib import Path

    def send(seconds: float) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            server.bind(("127.0.0.1", 0))
            for _ in range(40):
                client.sendto(b"x", server.getsockname())

    monkeypatch.setattr(time, "sleep", send)
    monkeypatch.setattr(python, "argv", ["xdp_protocols.py", "lo"])
    runpy.run_path(str(Path(__file__).parents[2] / "examples/xdp_protocols.py"), run_name="__main__")
    line = next(line for line in capsys.readouterr().out.splitlines() if "UDP" in line)
    assert "packets=40" in line


@pytest.mark.parametrize("name", ["xdp", "tc"])
def test_what_is_left_stays_without_a_warning(netns: None, name: str) -> None:
    """An attachment by request can be left for good: nothing undoes it, nothing of it is held here."""
    options = {"mode": "generic", "via": "netlink"} if name == "xdp" else {"via": "clsact"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with loader.load(counter(name, 2 if name == "xdp" else 0)) as k:
            link = k["prog"].attach("lo", **options)
            link.leave()
            assert link.closed and k.links == []
        gc.collect()
    there = netlink.xdp_of(1) or netlink.tc_filters(1, netlink.INGRESS)
    assert len(there) == 1
    if name == "xdp":
        assert netlink.remove_xdp(1, "generic")
    else:
        there[0].remove()  # type: ignore[union-attr]


def test_a_link_is_not_left_but_pinned(netns: None) -> None:
    with loader.load(counter("xdp", 2)) as k:
        link = k["prog"].attach("lo", mode="generic")
        with pytest.raises(KernelError, match="stays while it is pinned"):
            link.leave()
        assert not link.closed
