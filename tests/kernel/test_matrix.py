"""Every way of attaching that this kernel has: attached, seen to run, detached, seen to run no more. One row each."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Callable, Iterator
from errno import EPERM
from typing import Any, NamedTuple

import pytest

from purebpf import loader
from purebpf.errors import AttachError, KernelError
from purebpf.loader import links
from purebpf.loader.refusals import older_than
from purebpf.spec import FuncSpec, MapSpec, ObjectSpec, ProgramSpec
from purebpf.uapi import hooks
from purebpf.uapi.enums import MapType
from tests.kernel import net
from tests.kernel.specs import obj
from tests.kernel.test_links import FRAME, HITS, cgroup_root, counter, getpgid, grows

pytestmark = pytest.mark.kernel
LIBC = ctypes.CDLL(None)


def udp(family: int = socket.AF_INET, address: str = "127.0.0.1", *, reply: bool = False) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as server, socket.socket(family, socket.SOCK_DGRAM) as client:
        server.bind((address, 0))
        client.sendto(b"x", server.getsockname())
        server.recvfrom(1)


def tcp(family: int = socket.AF_INET, address: str = "127.0.0.1") -> None:
    with socket.socket(family) as server:
        server.bind((address, 0))
        server.listen()
        with socket.socket(family) as client:
            client.connect(server.getsockname()[:2])
            client.getpeername()
            server.accept()[0].close()


def udp6() -> None:
    udp(socket.AF_INET6, "::1")


def tcp6() -> None:
    tcp(socket.AF_INET6, "::1")


def unix_stream() -> None:
    name = f"\0purebpf{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(name)
        server.listen()
        client.connect(name)
        client.getpeername()
        server.getsockname()


def unix_datagram() -> None:
    name = f"\0purebpf-d{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        server.bind(name)
        client.bind("")
        client.sendto(b"x", name)
        server.recvfrom(1)


def options() -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def read_sysctl() -> None:
    with open("/proc/sys/kernel/ostype") as file:
        file.read()


def open_device() -> None:
    with open("/dev/null") as file:
        file.read()


# ── tracing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Traced(NamedTuple):
    section: str
    action: Callable[[], object]
    since: str = ""
    options: dict[str, Any] = {}


def getppid() -> None:
    LIBC.getppid()


TRACING = [
    Traced("tracepoint/syscalls/sys_enter_getpgid", getpgid), Traced("raw_tp/sys_enter", getpgid),
    Traced("raw_tp.w/sys_enter", getpgid), Traced("tp_btf/sys_enter", getpgid),
    Traced("uprobe/libc.so.6:getppid", getppid), Traced("uretprobe/libc.so.6:getppid", getppid),
    Traced("uprobe.s/libc.so.6:getppid", getppid), Traced("uretprobe.s/libc.so.6:getppid", getppid),
    Traced("uprobe/libc.so.6:getppid", getppid, "", {"pid": os.getpid()}),
    Traced("uprobe/libc.so.6:getppid", getppid, "5.15", {"cookie": 7}),
    Traced("uprobe.multi/libc.so.6:getppi?", getppid, "6.6"), Traced("uretprobe.multi/libc.so.6:getppi?", getppid, "6.6"),
    Traced("uprobe.multi.s/libc.so.6:getppi?", getppid, "6.6"), Traced("uprobe.session/libc.so.6:getppi?", getppid, "6.13"),
    Traced("uprobe.multi/libc.so.6:getppi?", getppid, "6.6", {"pid": os.getpid()}),
]


@pytest.mark.parametrize("row", TRACING, ids=lambda row: " ".join([row.section, *row.options]))
def test_tracing(row: Traced) -> None:
    if row.since and older_than(row.since):
        pytest.skip(f"{row.section}: since {row.since}")
    with loader.load(counter(row.section)) as k:
        link = k["prog"].attach(**row.options)
        assert grows(k, row.action), "it never ran"
        link.close()
        assert not grows(k, row.action), "it still runs"


def spin() -> None:
    stop = time.monotonic() + 0.3
    while time.monotonic() < stop:
        pass


def fault() -> None:
    import mmap

    with mmap.mmap(-1, 1 << 22) as memory:
        for at in range(0, 1 << 22, mmap.PAGESIZE):
            memory[at] = 1


def switch() -> None:
    for _ in range(50):
        time.sleep(0.0005)


EVENTS = {"cpu_clock": (spin, {"frequency": 200}), "cpu-clock": (spin, {"frequency": 200, "pid": 0}), "task_clock": (spin, {"period": 1_000_000, "pid": 0}),
          "page_faults": (fault, {"period": 1, "pid": 0}), "context_switches": (switch, {"period": 1, "pid": 0}),
          "page_faults_min": (fault, {"period": 1, "pid": 0})}


@pytest.mark.parametrize("name", EVENTS)
def test_perf_events(name: str) -> None:
    action, options = EVENTS[name]
    with loader.load(counter("perf_event")) as k:
        link = k["prog"].attach(name, **options)
        assert grows(k, action), "it never ran"
        link.close()
        assert not grows(k, action), "it still runs"


def test_breakpoints() -> None:
    watched = ctypes.c_uint64(0)
    with loader.load(counter("perf_event")) as k:
        try:
            link = k["prog"].attach(f"mem:{ctypes.addressof(watched):#x}:w", pid=0)
        except AttachError as error:
            pytest.skip(f"this machine has no debug registers: {error}")

        def write() -> None:
            watched.value += 1

        assert grows(k, write), "it never ran"
        link.close()
        assert not grows(k, write), "it still runs"


def test_events_of_a_cgroup(group: str) -> None:
    with loader.load(counter("perf_event")) as k:
        try:
            k["prog"].attach("cpu_clock", frequency=500, cgroup=group)
        except AttachError as error:
            pytest.skip(f"this kernel has no perf events of cgroups: {error}")
        assert grows(k, lambda: within(group, spin))
        with pytest.raises(ValueError):
            k["prog"].attach("cpu_clock", cgroup=group, pid=0)


def test_names_of_events() -> None:
    from purebpf.loader.perf import event_named

    assert event_named("cycles")[:2] == (0, 0) and event_named("branch-misses")[:2] == (0, 5)
    assert event_named("L1-dcache-load-misses")[:2] == (3, 1 << 16) and event_named("LLC-stores")[:2] == (3, 2 | 1 << 8)
    assert event_named("dTLB-loads")[:2] == (3, 3) and event_named("r1A8")[:2] == (4, 0x1A8)
    assert event_named("mem:0x1000/4:rw") == (5, 0, 0x1000, 4, 3)
    for wrong, complaint in (("cpu_clocks", "did you mean 'cpu_clock'"), ("mem:x:w", "known are"), ("", "known are")):
        with pytest.raises(ValueError, match=complaint):
            event_named(wrong)


ITERATORS = ["task", "bpf_map", "bpf_prog", "tcp", "udp", "unix", "ksym", "netlink", "task_file", "task_vma", "bpf_link"]


@pytest.mark.parametrize("name", ITERATORS)
def test_iterators(name: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, loader.load(counter(f"iter/{name}"), attach=True) as k:
        sock.bind(("127.0.0.1", 0))
        link = k.links[0]
        assert grows(k, link.read) and link.read_bytes() == b""
        before = k["hits"].value
        link.close()
        with pytest.raises(ValueError, match="is closed"):
            link.read()
        assert k["hits"].value == before


def refused(spec: ObjectSpec) -> bool:
    """Does the kernel refuse such a program without a word, though it loads others of its type?"""
    try:
        loader.load(spec).close()
    except KernelError as error:
        loader.load(counter("iter/bpf_map")).close()
        return error.errno == EPERM
    return False


def test_an_iterator_over_a_map() -> None:
    spec = counter("iter/bpf_map_elem")._replace(maps={"m": MapSpec("m", MapType.HASH, 4, 8, 8)})
    if refused(spec):
        return  # builds of 6.18 with it switched off say EPERM to root, for libbpf's objects as for ours
    with loader.load(spec) as k:
        k["m"].update({n: n for n in range(5)})
        link = k["prog"].attach(k["m"])
        link.read()
        assert k["hits"].value >= 5 and link.info.target == "bpf_map_elem"
        with pytest.raises(AttachError, match=r"say which: attach\(a map\)"):
            k["prog"].attach()


def test_iterators_of_a_part(group: str) -> None:
    with loader.load(counter("iter/task_file")) as k:
        k["prog"].attach(pid=os.getpid()).read()
        mine = k["hits"].value
        assert len(os.listdir("/proc/self/fd")) <= mine + 2 and mine < 1000
    with loader.load(counter("iter/task")) as k:
        k["prog"].attach(tid=os.getpid()).read()
        assert k["hits"].value == 2  # the task, and the end
    if not older_than("6.1"):
        with loader.load(counter("iter/cgroup")) as k:
            k["prog"].attach(group, order="self").read()
            alone = k["hits"].value
            k["prog"].attach(os.path.dirname(group), order="pre").read()
            assert 0 < alone < k["hits"].value - alone
            with pytest.raises(ValueError):
                k["prog"].attach(group, order="sideways")


# ── networks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("section", "result", "device", "options"), [
    ("xdp", 2, "lo", {"mode": "generic"}), ("xdp.frags", 2, "veth1", {"mode": "native"}), ("xdp", 2, "veth1", {"mode": "native"}),
    ("xdp", 2, "veth1", {"mode": "native", "via": "netlink"}), ("xdp", 2, "veth1", {"mode": "generic", "via": "netlink"}),
    ("xdp", 2, "veth1", {"via": "netlink"}), ("tc", 0, "lo", {}), ("tc", 0, "lo", {"direction": "egress"}),
    ("tcx/ingress", -1, "lo", {}), ("tcx/egress", -1, "lo", {}), ("tc", 0, "lo", {"via": "clsact", "priority": 5}),
    ("tc", 0, "lo", {"via": "clsact", "direction": "egress"}), ("classifier", 0, "lo", {})])
def test_interfaces(netns: None, section: str, result: int, device: str, options: dict[str, Any]) -> None:
    if "tcx" in section and older_than("6.6"):
        pytest.skip("tcx: since 6.6")
    with loader.load(counter(section, result)) as k:
        for target in (device, socket.if_nametoindex(device)):
            link = k["prog"].attach(target, **options)
            sender = "lo" if device == "lo" else "veth0"
            assert grows(k, lambda sender=sender: net.send_raw(sender, FRAME), 1), "it never ran"
            link.close()
            assert not grows(k, lambda sender=sender: net.send_raw(sender, FRAME)), "it still runs"


@pytest.mark.parametrize("hook", ["prerouting", "local_in", "local_out", "postrouting"])
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_netfilter(netns: None, family: str, hook: str) -> None:
    if older_than("6.4"):
        pytest.skip("netfilter programs: since 6.4")
    action = udp if family == "ipv4" else udp6
    with loader.load(counter("netfilter", 1)) as k:
        link = k["prog"].attach(f"{family}:{hook}", priority=7)
        assert "priority 7" in link.info.target
        assert grows(k, action)
        link.close()
        assert not grows(k, action)


def test_flow_dissector(netns: None) -> None:
    with loader.load(counter("flow_dissector", 129)) as k:
        link = k["prog"].attach("/proc/thread-self/ns/net")
        assert link.info.type == "netns"
        link.close()
        assert link.closed


def test_sk_msg() -> None:
    spec = counter("sk_msg", 1)._replace(maps={"socks": MapSpec("socks", MapType.SOCKMAP, 4, 4, 4)})
    with loader.load(spec) as k, socket.create_server(("127.0.0.1", 0)) as server:
        link = k["prog"].attach(k["socks"])
        with socket.create_connection(server.getsockname()) as client, server.accept()[0]:
            k["socks"][0] = client
            assert grows(k, lambda: client.send(b"x"))
            link.close()
            del k["socks"][0]
            k["socks"][0] = client
            assert not grows(k, lambda: client.send(b"x"))


# ── cgroups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def group() -> Iterator[str]:
    root = cgroup_root()
    if not root:
        pytest.skip("no cgroup2 is mounted")
    path = f"{root}/purebpf-matrix-{os.getpid()}"
    os.mkdir(path)
    yield path
    for _ in range(100):
        try:
            os.rmdir(path)
            break
        except OSError:
            time.sleep(0.01)  # a child is still being put away


def within(group: str, action: Callable[[], object]) -> None:
    """Run it in a process of the group."""
    child = os.fork()
    if not child:
        status = 1
        try:
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
            action()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


CGROUP: dict[str, tuple[Callable[[], object], str]] = {
    "cgroup_skb/ingress": (udp, ""), "cgroup_skb/egress": (udp, ""), "cgroup/sock_create": (udp, ""),
    "cgroup/sock_release": (udp, "5.9"), "cgroup/sock": (udp, ""), "cgroup/post_bind4": (udp, ""), "cgroup/post_bind6": (udp6, ""),
    "cgroup/bind4": (udp, ""), "cgroup/bind6": (udp6, ""), "cgroup/connect4": (tcp, ""), "cgroup/connect6": (tcp6, ""),
    "cgroup/sendmsg4": (udp, ""), "cgroup/sendmsg6": (udp6, ""), "cgroup/recvmsg4": (udp, ""), "cgroup/recvmsg6": (udp6, ""),
    "cgroup/getpeername4": (tcp, "5.8"), "cgroup/getpeername6": (tcp6, "5.8"), "cgroup/getsockname4": (tcp, "5.8"),
    "cgroup/getsockname6": (tcp6, "5.8"), "cgroup/connect_unix": (unix_stream, "6.7"),
    "cgroup/getpeername_unix": (unix_stream, "6.7"), "cgroup/getsockname_unix": (unix_stream, "6.7"),
    "cgroup/sendmsg_unix": (unix_datagram, "6.7"), "cgroup/recvmsg_unix": (unix_datagram, "6.7"),
    "cgroup/getsockopt": (options, ""), "cgroup/setsockopt": (options, ""), "cgroup/sysctl": (read_sysctl, ""),
    "cgroup/dev": (open_device, ""), "sockops": (tcp, ""),
}


@pytest.mark.parametrize("section", CGROUP)
def test_cgroup(group: str, section: str) -> None:
    action, since = CGROUP[section]
    if since and older_than(since):
        pytest.skip(f"{section}: since {since}")
    with loader.load(counter(section, 1)) as k:
        link = k["prog"].attach(group)
        assert link.info.target == group
        assert grows(k, lambda: within(group, action)), "it never ran"
        link.close()
        assert not grows(k, lambda: within(group, action)), "it still runs"


def test_skb_programs_say_which_way(group: str) -> None:
    with loader.load(counter("cgroup/skb", 1)) as k:
        with pytest.raises(AttachError, match="direction='ingress'"):
            k["prog"].attach(group)
        for direction in ("ingress", "egress"):
            link = k["prog"].attach(group, direction=direction)
            assert link.info.attach_type == f"cgroup_inet_{direction}" and grows(k, lambda: within(group, udp))
            link.close()
        with pytest.raises(ValueError):
            k["prog"].attach(group, direction="up")


def test_a_denial_is_felt(group: str) -> None:
    with loader.load(counter("cgroup/connect4", 0)) as k:
        k["prog"].attach(group)
        with pytest.raises(AssertionError):
            within(group, tcp)
        assert k["hits"].value == 1


@pytest.mark.skipif(older_than("6.17"), reason="order of cgroup programs: since 6.17")
def test_order_of_cgroup_programs(group: str) -> None:
    """The kernel's list is as asked for; `preorder` puts one before those of the groups below."""
    from purebpf.loader import bpf
    from purebpf.uapi.enums import AttachType

    with loader.load(counter("cgroup/connect4", 1)) as a, loader.load(counter("cgroup/connect4", 1)) as b:
        first = a["prog"].attach(group)
        b["prog"].attach(group, before=first)
        fd = os.open(group, os.O_RDONLY)
        try:
            assert bpf.prog_query(fd, AttachType.CGROUP_INET4_CONNECT) == [b["prog"].info.id, a["prog"].info.id]
        finally:
            os.close(fd)
        a.links[0].close()
        a["prog"].attach(os.path.dirname(group), preorder=True).close()


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Bare:
    def __init__(self, spec: ProgramSpec) -> None:
        self.spec = spec


@pytest.mark.parametrize("hook", hooks.HOOKS, ids=lambda hook: hook.name)
def test_every_hook_has_a_way_or_a_reason(hook: Any) -> None:
    """Nothing is left unattached in silence."""
    spec = ProgramSpec(FuncSpec("p", ()), hook.name.rstrip("+"), hook.prog_type, hook.attach_type)
    kind = links.kind_of(_Bare(spec))  # type: ignore[arg-type]
    if kind is None:
        assert len(links.why_none(_Bare(spec))) >= 20  # type: ignore[arg-type]
    else:
        assert callable(kind.attach) and (kind.auto or kind.name in links.WANTED)
        assert hook.auto <= kind.auto or not hook.auto


def test_hits_are_counted_by_the_program() -> None:
    """The counter of these tests counts."""
    with loader.load(obj("xdp", "r1 = data:.bss\nr2 = 1\nlock *(u64 *)(r1 + 0) += r2\nr0 = 2\nexit", data=(HITS,))) as k:
        assert grows(k, lambda: k["prog"].test_run(bytes(64))) and not grows(k, lambda: None)


def test_an_lsm_program_that_will_never_run_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from purebpf.loader import tracing

    path = tmp_path / "lsm"
    monkeypatch.setattr(tracing, "LSMS", str(path))
    spec = ProgramSpec(FuncSpec("p", ()), "lsm/file_open", 29)
    program = type("Program", (), {"spec": spec, "name": "p"})()
    tracing._warn_without_lsm(program)  # no such file: nobody can tell
    path.write_text("lockdown,capability\n")
    with pytest.warns(RuntimeWarning, match="will never run: the LSMs of this kernel are lockdown,capability"):
        tracing._warn_without_lsm(program)
    path.write_text("lockdown,bpf\n")
    tracing._warn_without_lsm(program)


def test_files_of_a_process() -> None:
    """A library by the name under which the process has it mapped; its own root first."""
    from purebpf.loader.symbols import find_file

    with open("/proc/self/maps") as file:
        libc = next(line.split()[-1] for line in file if "libc.so" in line)
    assert os.path.samefile(find_file(os.path.basename(libc), os.getpid()), libc)
    assert find_file(libc, os.getpid()) == os.path.realpath(libc)


def test_programs_and_libraries_are_searched_as_usual(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from purebpf.loader.symbols import find_file

    (tmp_path / "mine").write_bytes(b"")
    os.chmod(tmp_path / "mine", 0o755)
    with pytest.raises(AttachError, match="usual directories"):
        find_file("mine")
    monkeypatch.setenv("PATH", f"/nonexistent:{tmp_path}")
    assert find_file("mine") == str(tmp_path / "mine") and os.path.isabs(find_file("libc.so.6"))


def test_double_names_are_hooked_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel refuses the name of several functions; each of them is meant."""
    from purebpf.loader import multi, tracefs

    with open("/proc/kallsyms") as file:
        seen: dict[str, int] = {}
        for line in file:
            if line[17] in "tT":
                seen[line.split()[2]] = seen.get(line.split()[2], 0) + 1
    double = next(name for name, count in seen.items() if count == 2)
    fields, _, count = multi._by_names([double, double])
    assert list(fields) == ["kprobe_multi__addrs"] and count >= 1
    assert len(tracefs.function_addresses({double})) == count
    fields, _, count = multi._by_names(["do_exit", "vfs_read"])
    assert list(fields) == ["kprobe_multi__syms"] and count == 2


@pytest.mark.parametrize("section", ["lwt_out", "lwt_xmit", "lwt_in"])
@pytest.mark.parametrize("network", ["10.77.0.0/16", "2001:db8:77::/48"])
def test_routes(netns: None, section: str, network: str) -> None:
    """A route with a program: packets that are sent along it go through the program, and the route goes with the link."""
    from ipaddress import ip_network

    family = socket.AF_INET if "." in network else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock, loader.load(counter(section)) as k:
        def send() -> None:
            try:
                sock.sendto(b"x", (str(ip_network(network)[7]), 4444))
            except OSError:
                pass  # there is no such route

        assert not grows(k, send)
        link = k["prog"].attach(network, device="veth0")
        assert link.fd is None and link.kind == "route"
        if section != "lwt_in":  # which runs for what the route brings in
            assert grows(k, send, 1), "it never ran"
        with pytest.raises(AttachError, match="there is such a route already"):
            k["prog"].attach(network, device="veth0")
        link.close()
        assert not grows(k, send), "it still runs"
        k["prog"].attach(network, device="veth0")
        with pytest.raises(AttachError, match="say through which interface"):
            k["prog"].attach(network)
        with pytest.raises(AttachError, match="write a network"):
            k["prog"].attach("10.1.2.3/8", device="veth0")


@pytest.mark.parametrize("row", ["lwt_seg6local"])
def test_routes_of_segments(netns: None, row: str) -> None:
    with loader.load(counter(row)) as k:
        try:
            k["prog"].attach("2001:db8:78::/48", device="veth0").close()
        except KernelError as error:
            assert error.errno in (95, 22), error  # a kernel without CONFIG_IPV6_SEG6_BPF


@pytest.mark.parametrize("section", ["netkit/primary", "netkit/peer"])
def test_netkit(netns: None, section: str) -> None:
    """Where the kernel has such devices: see docs/kernels.md for those that do."""
    peer = net.add_netkit("netkit-a")
    if not peer:
        pytest.skip("this kernel has no netkit devices")
    sender = "netkit-a" if section == "netkit/primary" else peer
    with loader.load(counter(section)) as k:
        link = k["prog"].attach("netkit-a")
        assert link.info.type == "netkit" and grows(k, lambda: net.send_raw(sender, FRAME), 1)
        with loader.load(counter(section)) as other:
            first = other["prog"].attach("netkit-a", before=link)
            assert first.info.target == link.info.target
        link.close()
        assert not grows(k, lambda: net.send_raw(sender, FRAME))
