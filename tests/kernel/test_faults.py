"""Every system call of the live side fails once, with every errno: success or a typed error, and nothing is left behind.

And a Ctrl-C at a random moment leaves no descriptor without an owner.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import mmap
import os
import random
import signal
import socket
import sys as python
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from purebpf import loader
from purebpf.errors import PureBpfError
from purebpf.loader import netlink, perf, sys
from purebpf.spec import DataSpec, MapSpec, ObjectSpec, VarSpec
from tests.kernel.specs import obj
from tests.kernel.test_links import counter
from tests.kernel.test_readers import perf_spec

pytestmark = pytest.mark.kernel

ERRNOS = (errno.EPERM, errno.EINVAL, errno.ENOMEM, errno.EINTR, errno.EAGAIN, errno.EEXIST, errno.ENOSPC, errno.EMFILE,
          errno.EBUSY, errno.E2BIG, errno.ENOSYS)
FEW = (errno.EPERM, errno.EINVAL, errno.EINTR, errno.EMFILE, errno.ENOSYS)
SOCKET = socket.socket  # the scenario's own does not fail
SLOW = ("uprobe", "uprobe.multi", "tracepoint", "tp_btf", "lists", "iterators")  # the kernel waits for all CPUs at each detaching


class Faults:
    """Fails the n-th call (from 1) of those that it watches; `count` is how many there were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fail, self.errno, self.count, self.where = 0, 0, 0, ""
        for name in ("_bpf", "_perf", "_fsopen", "_fsconfig", "_fsmount"):
            monkeypatch.setattr(sys, name, self._syscall(getattr(sys, name), name))
        for module, name in ((sys, "map_shared"), (perf.fcntl, "ioctl"), (os, "eventfd"), (os, "dup"), (socket, "socket"),
                             (netlink.Route, "request"), (os, "read")):
            monkeypatch.setattr(module, name, self._python(getattr(module, name), name))

    def _now(self, where: str) -> bool:
        self.count += 1
        if self.count == self.fail:
            self.where = where
        return self.count == self.fail

    def _syscall(self, real: Any, name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            if self._now(f"{name}{arguments[1:2]}"):
                ctypes.set_errno(self.errno)
                return -1
            result: int = real(*arguments)
            return result
        return call

    def _python(self, real: Any, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self._now(name):
                if name == "request":
                    return self.errno, []
                raise OSError(self.errno, os.strerror(self.errno))
            return real(*arguments, **named)
        return call

    def start(self, fail: int, number: int) -> None:
        self.fail, self.errno, self.count, self.where = fail, number, 0, ""


def descriptors() -> set[str]:
    return {f"{n} {os.readlink(f'/proc/self/fd/{n}')}" for n in os.listdir("/proc/self/fd")
            if os.path.islink(f"/proc/self/fd/{n}")}


def typed_spec() -> ObjectSpec:
    from purebpf.btf import Builder
    from purebpf.btf import types as t

    b = Builder()
    u64, u32 = b.add(t.Int("unsigned long", 8)), b.add(t.Int("unsigned int", 4))
    pair = b.add(t.Struct("pair", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    b.add(t.Enum64("big", 8, False, (t.Enumerator("x", 1 << 40),)))
    text = "r1 = map:m\nr2 = data:.bss\nr0 = 0\nexit"
    return obj("xdp", text, maps=(MapSpec("m", HASH, 4, 16, 8, key_type=u32, value_type=pair),),
               data=(DataSpec(".bss", bytes(8), (VarSpec("hits", 0, 8),)),))._replace(btf=b.build())


HASH = 1


def of_maps(bpffs: str) -> None:
    with loader.load(typed_spec()) as k:
        m = k["m"]
        m[1] = {"a": 1, "b": 2}
        assert m[1].a == 1 and len(m) == 1
        m.update({2: (1, 2), 3: (4, 5)})
        assert {key: v.b for key, v in m.items()} == {1: 2, 2: 2, 3: 5}
        del m[1]
        m.clear()
        k["hits"].value = 4


def of_pins(bpffs: str) -> None:
    spec = typed_spec()
    spec = spec._replace(maps={"m": spec.maps["m"]._replace(pinning=1)})
    try:
        with loader.load(spec, pin_directory=bpffs) as k, loader.load(spec, pin_directory=bpffs) as again:
            again["m"][7] = (8, 9)
            assert k["m"][7].b == 9
            k["prog"].pin(f"{bpffs}/prog")
            try:
                with loader.open_program(f"{bpffs}/prog") as program, loader.open_map(f"{bpffs}/m") as m:
                    assert program.info.id == k["prog"].info.id and m.raw[bytes([7, 0, 0, 0])][8] == 9
            finally:
                k["prog"].unpin()
    finally:
        if os.path.exists(f"{bpffs}/m"):
            os.unlink(f"{bpffs}/m")


def of_rings(bpffs: str) -> None:
    from tests.kernel.test_events import ring_spec

    with loader.load(ring_spec()) as k:
        k["prog"].test_run(bytes(64))
        assert [e.n for e in k["ring"].poll(1000)] == [1]


def of_perf_buffers(bpffs: str) -> None:
    with loader.load(perf_spec()) as k:
        k["ring"].read()
        k["prog"].test_run(bytes(64))
        assert [e.n for e in k["ring"].poll(1000)] == [1] and k["ring"].lost == 0


def attached(section: str, target: Any = None, **options: Any) -> Callable[[str], None]:
    def scenario(bpffs: str) -> None:
        with loader.load(counter(section, 2 if section == "xdp" else 0)) as k:
            link = k["prog"].attach(target, **options)
            if link.fd is not None and not link.parts:
                assert link.info.prog_id and link.id
                link.pin(f"{bpffs}/link")
                try:
                    with loader.open_link(f"{bpffs}/link") as other:
                        assert other.id == link.id
                finally:
                    link.unpin()
    return scenario


def of_update(bpffs: str) -> None:
    with loader.load(counter("xdp", 2)) as one, loader.load(counter("xdp", 2)) as two:
        link = one["prog"].attach("lo", mode="generic")
        link.update(two["prog"])
        link.detach()


def of_sockmap(bpffs: str) -> None:
    spec = counter("sk_skb/verdict", 1)
    with loader.load(spec._replace(maps={"socks": MapSpec("socks", 15, 4, 4, 4)})) as k:
        k["prog"].attach(k["socks"])


def of_lists(bpffs: str) -> None:
    from purebpf.loader import listed

    with loader.load(counter("raw_tp/sys_enter"), attach=True) as k:
        assert k["prog"].info.id in {e.id for e in listed.programs()}
        assert k.links[0].id in {e.id for e in listed.links()}
        assert any(True for _ in listed.maps())


def of_iterators(bpffs: str) -> None:
    with loader.load(counter("iter/task"), attach=True) as k:
        assert k.links[0].read() == "" and k["hits"].value


def of_cgroups(bpffs: str) -> None:
    from tests.kernel.test_links import cgroup_root

    if root := cgroup_root():
        with loader.load(counter("cgroup_skb/egress", 1)) as k:
            k["prog"].attach(root)


def of_sockets(bpffs: str) -> None:
    with loader.load(counter("socket")) as k, SOCKET(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        k["prog"].attach(sock).close()


def of_lost_records(bpffs: str) -> None:
    from tests.kernel.test_events import ring_spec

    with loader.load(ring_spec(), count_lost=True) as k:
        k["prog"].test_run(bytes(64))
        assert k["ring"].lost == 0


def of_memory(bpffs: str) -> None:
    maps = (MapSpec("pages", 33, 0, 0, 2, 1024), MapSpec("counts", 2, 4, 8, 4, 1024))
    with loader.load(obj("xdp", "r1 = map:pages\nr1 = map:counts\nr0 = 2\nexit", maps=maps)) as k:
        with k["pages"].memory() as pages, k["counts"].memory() as counts:
            pages[5] = counts[8] = 7
        assert k["counts"].raw[1][0] == 7


def of_maps_of_maps(bpffs: str) -> None:
    inner = MapSpec("inner", HASH, 4, 8, 4)
    maps = (inner, MapSpec("outer", 12, 4, 4, 2, inner=inner), MapSpec("programs", 3, 4, 4, 2))
    with loader.load(obj("xdp", "r1 = map:outer\nr1 = map:programs\nr1 = map:inner\nr0 = 2\nexit", maps=maps)) as k:
        k["outer"][1] = k["inner"]
        with k["outer"].inner(1) as one:
            assert one.info.id == k["inner"].info.id
        k["programs"][0] = k["prog"]
        del k["programs"][0]


def of_probes(bpffs: str) -> None:
    from purebpf.loader.attachable import KINDS

    for name in ("raw tracepoint", "perf link", "xdp link", "cgroup link", "uprobe.multi"):
        KINDS[name].test()


def of_statistics(bpffs: str) -> None:
    with loader.statistics(), loader.load(counter("xdp", 2)) as k:
        k["prog"].test_run(bytes(64))
        assert k["prog"].info.run_count == 1


SCENARIOS: dict[str, Callable[[str], None]] = {
    "maps": of_maps, "pins": of_pins, "rings": of_rings, "perf buffers": of_perf_buffers, "update": of_update,
    "sockmap": of_sockmap, "lists": of_lists, "iterators": of_iterators, "cgroups": of_cgroups, "sockets": of_sockets,
    "lost records": of_lost_records, "memory": of_memory, "maps of maps": of_maps_of_maps, "probes": of_probes, "statistics": of_statistics,
    "tracepoint": attached("tracepoint/syscalls/sys_enter_getpgid"), "raw_tp": attached("raw_tp/sys_enter"),
    "tp_btf": attached("tp_btf/sys_enter"), "uprobe": attached("uprobe/libc.so.6:getppid"),
    "uprobe.multi": attached("uprobe.multi/libc.so.6:getppi?"),
    "perf_event": attached("perf_event", "cpu_clock", frequency=10),
    "xdp": attached("xdp", "lo", mode="generic"), "xdp netlink": attached("xdp", "lo", mode="generic", via="netlink"),
    "tcx": attached("tc", "lo"), "clsact": attached("tc", "lo", via="clsact"),
    "sk_lookup": attached("sk_lookup", "/proc/thread-self/ns/net"),
}


@contextmanager
def nothing_left(what: Callable[[], str]) -> Iterator[None]:
    before = descriptors()
    with warnings.catch_warnings(record=True) as forgotten:
        warnings.simplefilter("always")
        yield
        left = descriptors() - before
        if left:
            gc.collect()
            left = descriptors() - before
    assert not left, f"{what()}: left {left}"
    assert not [w for w in forgotten if w.category is ResourceWarning], f"{what()}: {[str(w.message) for w in forgotten]}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_call_fails_once(netns: None, bpffs: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bpffs += "/pins"
    os.mkdir(bpffs)
    faults = Faults(monkeypatch)
    scenario = SCENARIOS[name]
    scenario(bpffs)
    calls = faults.count
    assert calls > 1
    bad = []
    for number in FEW if name in SLOW else ERRNOS:
        for fail in range(1, calls + 1):
            faults.start(fail, number)
            error: str = ""
            try:
                with nothing_left(lambda: faults.where):
                    try:
                        scenario(bpffs)
                    except PureBpfError:
                        pass
                    except Exception as wrong:  # noqa: BLE001 - that is the question
                        error = f"{type(wrong).__name__}: {wrong}"
            except AssertionError as left:
                error = str(left)
            faults.start(0, 0)
            if error:
                bad.append(f"{faults.where or fail} {errno.errorcode[number]}: {error}")
            assert os.listdir(bpffs) == [], bad
    assert not bad, "\n".join(bad)
    assert netlink.xdp_everywhere() == [] and netlink.tc_filters(1, netlink.INGRESS) == []


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EINTR, errno.EAGAIN])
def test_what_passes_changes_nothing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A passing shortage is an error or is tried again; it never makes a map without types, or other BTF."""
    faults = Faults(monkeypatch)
    with loader.load(typed_spec()):
        calls = faults.count
    for fail in range(1, calls + 1):
        faults.start(fail, number)
        try:
            with loader.load(typed_spec()) as k:
                from purebpf.loader import bpf

                assert bpf.map_info(k["m"].fileno()).btf_value_type_id, (faults.where, number)
        except PureBpfError as error:
            assert number == errno.ENOMEM, (faults.where, str(error))


def test_no_descriptor_is_lost_to_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads, attachments and readings are interrupted by a signal at random moments. Without the watch on bpf(2): what it
    does between the system call and the owner is Python."""
    monkeypatch.setattr(sys, "_bpf", getattr(sys._bpf, "__wrapped__", sys._bpf))
    # a signal in a destructor is told to this hook, with the frame that holds the object: pytest's own keeps it, Python's does not
    monkeypatch.setattr(python, "unraisablehook", lambda unraisable: None)

    def stop(signum: int, frame: Any) -> None:
        raise KeyboardInterrupt

    rounds = int(os.environ.get("PUREBPF_INTERRUPTS", "300"))
    def attach(section: str) -> Callable[[str], None]:
        return lambda bpffs: loader.load(counter(section), attach=True).close()

    scenarios = [of_rings, of_perf_buffers, *map(attach, ("tracepoint/syscalls/sys_enter_getpgid", "raw_tp/sys_enter",
                                                         "uprobe/libc.so.6:getppid"))]
    chance = random.Random(7)
    for one in scenarios:
        one("")
    started = time.monotonic()
    for one in scenarios:
        one("")
    usual = (time.monotonic() - started) / len(scenarios)
    before = descriptors()
    old = signal.signal(signal.SIGALRM, stop)
    interrupted = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            for n in range(rounds):
                try:
                    signal.setitimer(signal.ITIMER_REAL, max(1e-5, chance.uniform(0, 1.2 * usual)))
                    scenarios[n % len(scenarios)]("")
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    interrupted += 1
                except (PureBpfError, OSError, AssertionError):
                    pass  # a call that the signal cut short
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            gc.collect()
    finally:
        signal.signal(signal.SIGALRM, old)
    assert interrupted > rounds // 10
    assert descriptors() - before == set()


def test_the_watch_sees_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests can fail: a descriptor that is dropped, and one that is lost."""
    kept = []
    with pytest.raises(AssertionError, match="left"):
        with nothing_left(lambda: "here"):
            kept.append(os.open(os.devnull, os.O_RDONLY))
    os.close(kept[0])
    with pytest.raises(AssertionError, match="was never closed"):
        with nothing_left(lambda: "here"):
            made = sys.mount_detached("bpf")
            del made
    assert mmap.PAGESIZE == sys.PAGE


@pytest.mark.parametrize("number", [errno.ENOMEM, errno.EPERM, errno.EMFILE, errno.EINVAL])
def test_only_what_a_kernel_does_not_know_is_rewritten(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """BTF that is refused for another reason is not tried again in an older form."""
    from purebpf.loader import bpf

    tried: list[bytes] = []
    monkeypatch.setattr(bpf, "btf_load", lambda data: (tried.append(data), (-number, "no"))[1])
    if number == errno.EINVAL:
        loader.load(typed_spec()).close()  # without its types, as nothing of it needs them
        assert len(set(tried)) == len(tried) >= 2
        return
    with pytest.raises(PureBpfError) as refused:
        loader.load(typed_spec())
    assert refused.value.errno == number and len(tried) == 1  # type: ignore[attr-defined]
