"""Attaching: each kind is attached, seen to run, detached, and seen to run no more."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable

import pytest

from purebpf import loader
from purebpf.errors import AttachError, KernelError, NotSupported
from purebpf.loader.refusals import older_than
from purebpf.spec import DataSpec, MapSpec, ObjectSpec, VarSpec
from tests.kernel import net
from tests.kernel.specs import obj

pytestmark = pytest.mark.kernel

HITS = DataSpec(".bss", bytes(8), (VarSpec("hits", 0, 8),))
COUNT = "r1 = data:.bss\nr2 = 1\nlock *(u64 *)(r1 + 0) += r2\n"
FRAME = b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(50)


def counter(section: str, result: int = 0) -> ObjectSpec:
    return obj(section, COUNT + f"r0 = {result}\nexit", data=(HITS,))


def grows(k: loader.Object, action: Callable[[], object], wait: float = 0.0) -> bool:
    before = k["hits"].value
    action()
    deadline = time.monotonic() + wait
    while k["hits"].value == before and time.monotonic() < deadline:
        time.sleep(0.01)
    return k["hits"].value > before


def check(k: loader.Object, link: loader.Link, action: Callable[[], object], wait: float = 2.0) -> None:
    assert grows(k, action, wait), "it never ran"
    link.close()
    link.close()
    assert not grows(k, action), "it still runs"


def getpgid() -> None:
    os.getpgid(0)


@pytest.mark.parametrize("section", ["tracepoint/syscalls/sys_enter_getpgid", "tp/syscalls/sys_enter_getpgid",
                                     "raw_tp/sys_enter", "tp_btf/sys_enter"])
def test_tracepoints_attach_by_section(section: str) -> None:
    with loader.load(counter(section), attach=True) as k:
        link, = k.links
        assert grows(k, getpgid)
        if section.startswith("tracepoint"):
            check(k, link, getpgid)
        else:
            link.close()


def test_a_tracepoint_that_is_not_there_is_suggested() -> None:
    with loader.load(counter("tracepoint/syscalls/sys_enter_opennat")) as k:
        with pytest.raises(AttachError, match="did you mean .*'syscalls:sys_enter_openat'"):
            k.attach()
        with pytest.raises(AttachError, match="no tracepoint category 'nothing'"):
            k["prog"].attach("nothing:here_at_all")
        assert k.links == []
    with loader.load(counter("raw_tp/sched_swich")) as k:
        with pytest.raises(AttachError, match="did you mean 'sched_switch'"):
            k.attach()


def test_a_cookie_needs_a_perf_link() -> None:
    if older_than("5.15"):
        pytest.skip("cookies: since 5.15")
    spec = obj("tracepoint/syscalls/sys_enter_getpgid", "call get_attach_cookie\nr2 = r0\nr1 = data:.bss\n"
               "*(u64 *)(r1 + 0) = r2\nr0 = 0\nexit", data=(HITS,))
    with loader.load(spec) as k, k["prog"].attach(cookie=1234):
        getpgid()
        assert k["hits"].value == 1234


def test_the_ioctl_that_older_kernels_need(monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import bpf

    monkeypatch.setattr(bpf, "link_create", lambda *a, **b: -22)
    with loader.load(counter("tracepoint/syscalls/sys_enter_getpgid")) as k:
        link = k["prog"].attach()
        assert link.fd is None
        check(k, link, getpgid)


def test_half_attached_is_not_attached_at_all() -> None:
    good, bad = counter("tracepoint/syscalls/sys_enter_getpgid"), counter("tracepoint/syscalls/sys_enter_nothing")
    spec = good._replace(programs={"one": good.programs["prog"], "two": bad.programs["prog"]})
    with pytest.raises(AttachError):
        loader.load(spec, attach=True)


def test_xdp_generic_native_and_auto(netns: None) -> None:
    with loader.load(counter("xdp", 2)) as k:
        for device, mode in (("lo", "generic"), ("veth1", "generic"), ("veth1", "native"), ("veth1", "auto")):
            link = k["prog"].attach(device, mode=mode)
            sender = "lo" if device == "lo" else "veth0"
            check(k, link, lambda sender=sender: net.send_raw(sender, FRAME))
        with pytest.raises(KernelError, match="mode='generic'"):
            k["prog"].attach("lo", mode="native")
        with pytest.raises(AttachError, match="there are: lo, veth1, veth0|there are: lo, veth0, veth1"):
            k["prog"].attach("eth17")
        with pytest.raises(AttachError, match="say where"):
            k["prog"].attach()
        with pytest.raises(ValueError):
            k["prog"].attach("lo", mode="fast")
        with k["prog"].attach("lo", mode="generic"):
            with pytest.raises(KernelError):
                k["prog"].attach("lo", mode="native")


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("through", ["tcx", "netlink"])
def test_tc(netns: None, monkeypatch: pytest.MonkeyPatch, direction: str, through: str) -> None:
    from purebpf.loader import sockets

    if through == "netlink":
        monkeypatch.setattr(sockets, "older_than", lambda since: True)
    elif older_than("6.6"):
        pytest.skip("tcx: since 6.6")
    with loader.load(counter("tc", 0)) as k:
        link = k["prog"].attach("veth1" if direction == "ingress" else "veth0", direction=direction)
        assert link.kind == ("tcx" if through == "tcx" else "tc")
        check(k, link, lambda: net.send_raw("veth0", FRAME))


def test_several_tc_filters_and_one_goes(netns: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from purebpf.loader import sockets

    monkeypatch.setattr(sockets, "older_than", lambda since: True)
    with loader.load(counter("tc/ingress", -1)) as one, loader.load(counter("tc/ingress", 0)) as two:
        first, second = one["prog"].attach("veth1"), two["prog"].attach("veth1")
        first.close()
        check(two, second, lambda: net.send_raw("veth0", FRAME))
        assert not grows(one, lambda: net.send_raw("veth0", FRAME))


def test_socket_filter() -> None:
    with loader.load(counter("socket", 0)) as k:
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with left, right:
            link = k["prog"].attach(right)
            assert grows(k, lambda: left.send(b"x"))
            link.close()
            left.send(b"seen")
            assert right.recv(10) == b"seen"


def cgroup_root() -> str:
    with open("/proc/self/mounts", encoding="ascii") as file:
        return next((line.split()[1] for line in file if line.split()[2] == "cgroup2"), "")


def test_cgroup_programs() -> None:
    root = cgroup_root()
    if not root:
        pytest.skip("no cgroup2 is mounted")
    group = f"{root}/purebpf-test-{os.getpid()}"
    os.mkdir(group)
    try:
        with loader.load(counter("cgroup/sock_create", 1)) as k, k["prog"].attach(group):
            child = os.fork()
            if not child:
                with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write(str(os.getpid()))
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
                os._exit(0)
            os.waitpid(child, 0)
            assert k["hits"].value == 1
        with pytest.raises(AttachError):
            k = loader.load(counter("cgroup/sock_create", 1))
            with k:
                k["prog"].attach("/nonexistent/cgroup")
    finally:
        os.rmdir(group)


def libc_path() -> str:
    with open("/proc/self/maps", encoding="ascii") as file:
        return next(line.split()[-1] for line in file if "libc.so" in line or "/libc-" in line)


@pytest.mark.parametrize("section", ["uprobe", "uretprobe"])
def test_uprobes_find_their_symbol(section: str) -> None:
    libc = ctypes.CDLL(None)
    with loader.load(counter(f"{section}/{libc_path()}:getppid"), attach=True) as k:
        check(k, k.links[0], libc.getppid)
    with loader.load(counter(section)) as k:
        with k["prog"].attach("libc.so.6:getppid", pid=os.getpid()):
            assert grows(k, libc.getppid)
        with pytest.raises(AttachError, match="did you mean .*'getppid'"):
            k["prog"].attach("libc.so.6:getpppid")
        with pytest.raises(AttachError, match="usual directories"):
            k["prog"].attach("libnothing.so:f")


def test_uprobe_multi() -> None:
    if older_than("6.6"):
        pytest.skip("uprobe_multi: since 6.6")
    libc = ctypes.CDLL(None)
    with loader.load(counter("uprobe.multi/libc.so.6:getp?id"), attach=True) as k:
        check(k, k.links[0], libc.getppid)


def test_kprobe_or_a_reason() -> None:
    """This kernel may be built without kprobes: then the error says so."""
    with loader.load(counter("kprobe/do_nanosleep")) as k:
        try:
            link = k["prog"].attach()
        except NotSupported as error:
            assert "kprobes" in str(error)
            assert not os.path.exists("/sys/bus/event_source/devices/kprobe")
            return
        check(k, link, lambda: time.sleep(0.001))
        with pytest.raises(AttachError, match="no function 'no_such_function_here'"):
            k["prog"].attach("no_such_function_here")


def test_sampling() -> None:
    def spin() -> None:
        stop = time.monotonic() + 0.3
        while time.monotonic() < stop:
            pass

    with loader.load(counter("perf_event")) as k:
        check(k, k["prog"].attach("cpu_clock", frequency=200), spin, 0)
        with pytest.raises(ValueError, match="unknown perf event"):
            k["prog"].attach("cpu_clocks", frequency=10)


def test_an_iterator_is_read_from_its_link() -> None:
    text = """
        r6 = *(u64 *)(r1 + 0)
        r1 = *(u64 *)(r6 + 0)
        *(u64 *)(r10 - 8) = 0x0a78
        r2 = r10
        r2 += -8
        r3 = 2
        call seq_write
        r0 = 0
        exit"""
    with loader.load(obj("iter/task", text), attach=True) as k:
        lines = k.links[0].read().splitlines()
        assert len(lines) > 3 and set(lines) == {"x"}
        assert k.links[0].read().count("x") > 3


def test_sk_lookup_and_netfilter_links(netns: None) -> None:
    with loader.load(counter("sk_lookup", 1)) as k, k["prog"].attach("/proc/thread-self/ns/net") as link:
        def connect() -> None:
            with socket.socket() as sock:
                sock.connect_ex(("127.0.0.1", 9))
        check(k, link, connect)
    if not older_than("6.4"):
        with loader.load(counter("netfilter", 1)) as k:
            def send() -> None:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.sendto(b"x", ("127.0.0.1", 9))
            check(k, k["prog"].attach("ipv4:local_in"), send)
            with pytest.raises(AttachError, match="FAMILY:HOOK"):
                k["prog"].attach("ipv5:local_in")


def test_a_link_can_be_pinned_and_found(bpffs: str) -> None:
    with loader.load(counter("tp_btf/sys_enter"), attach=True) as k:
        assert k.links[0].id > 0
        k.links[0].pin(f"{bpffs}/link")
        k.links[0].close()
        assert grows(k, getpgid)
        os.unlink(f"{bpffs}/link")
        time.sleep(0.05)
        assert not grows(k, getpgid)


def test_what_cannot_be_attached_says_so() -> None:
    if older_than("5.14"):
        pytest.skip("syscall programs: since 5.14")
    with loader.load(obj("syscall", "r0 = 0\nexit")) as k:
        with pytest.raises(AttachError, match="test_run"):
            k["prog"].attach()


def test_sockmap_verdict() -> None:
    if older_than("5.13"):
        pytest.skip("sk_skb/verdict: since 5.13")
    spec = counter("sk_skb/verdict", 1)
    spec = spec._replace(maps={"socks": MapSpec("socks", 15, 4, 4, 4)})
    with loader.load(spec) as k, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with socket.create_connection(server.getsockname()) as client:
            peer, _ = server.accept()
            with peer, k["prog"].attach(k["socks"]):
                k["socks"][0] = peer
                assert grows(k, lambda: client.send(struct.pack("I", 1)), 2)
