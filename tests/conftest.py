"""What all tests share: the `kernel` marker, the leak checks, private network namespace and bpffs.

A kernel test is skipped where bpf(2) is refused, with the reason; under CI=true that is a failure. After each one, no
descriptor is left open and no map, program, link or BTF that this process made is left in the kernel.

Tests run in several processes at once (`make test`). Those of tests/kernel stay in one of them: they attach to hooks that all
processes pass, and there is one trace pipe. No time is limited: a busy machine is no failure.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CLONE_NEWNET = 0x40000000
_LINUX = sys.platform == "linux"
_MAKERS = {0: "map", 5: "prog", 17: "link", 18: "btf", 28: "link"}  # commands whose result is a new object's fd
_made: list[tuple[str, int]] = []


def _why_not() -> str:
    """Why bpf(2) cannot be used here, "" if it can."""
    if not _LINUX:
        return "not Linux"
    from purebpf import loader
    from purebpf.errors import PureBpfError
    from purebpf.isa import assemble, decode
    from purebpf.spec import FuncSpec, ObjectSpec, ProgramSpec

    body = FuncSpec("probe", tuple(decode(assemble("r0 = 0\nexit"))))
    try:
        loader.load(ObjectSpec({"probe": ProgramSpec(body, "xdp", 6)})).close()
    except PureBpfError as error:
        return f"bpf(2) is refused: {error}"
    return ""


_reason: list[str] = []


settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        assert " at 0x" not in item.nodeid, f"{item.nodeid}: is another one in each process"
        if item.path.parent.name == "kernel" and item.path.parent.parent.name == "tests":
            item.add_marker(pytest.mark.xdist_group("hooks"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("kernel") is None:
        return
    if not _reason:
        _reason.append(_why_not())
    if _reason[0]:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to use bpf(2): {_reason[0]}")
        pytest.skip(_reason[0])


def _open_fds() -> dict[int, str]:
    out = {}
    for name in os.listdir("/proc/self/fd") if _LINUX else ():
        try:
            out[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass  # the listing's own
    return out


@pytest.fixture(scope="session", autouse=True)
def _watch_bpf() -> Iterator[None]:
    """Note the id of everything that is made through the loader's bpf(2)."""
    if not _LINUX:
        yield
        return
    from purebpf.loader import sys as live

    original = live._bpf

    def watched(number: int, command: int, attr: Any, size: int) -> int:
        result: int = original(number, command, attr, size)
        kind = _MAKERS.get(command)
        if kind and result >= 0:
            with open(f"/proc/self/fdinfo/{result}", encoding="ascii") as file:
                ids = dict(line.split(":", 1) for line in file if ":" in line)
            if f"{kind}_id" in ids:
                _made.append((kind, int(ids[f"{kind}_id"])))
        return result

    watched.__wrapped__ = original  # type: ignore[attr-defined]
    live._bpf = watched
    yield
    live._bpf = original


def _alive(made: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those still in the kernel. By listing ids: opening a program array that is just being freed makes the kernel leak
    it (its clean-up is scheduled twice, with one reference given back; seen on 6.18)."""
    from purebpf.loader import bpf

    there = {kind: set(bpf.ids(kind)) for kind in {kind for kind, _ in made}}
    return [(kind, number) for kind, number in made if number in there[kind]]


@pytest.fixture(autouse=True)
def _no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    kernel = request.node.get_closest_marker("kernel") is not None
    before = _open_fds()
    _made.clear()
    yield

    def left_open() -> dict[int, str]:
        return {fd: what for fd, what in _open_fds().items() if before.get(fd) != what
                and (kernel or any(word in what for word in ("bpf", "btf", "perf_event")))}

    left = left_open()
    if left:
        gc.collect()  # a failed test's traceback may hold them still
        left = left_open()
    assert not left, f"descriptors left open: {left}"
    alive = _alive(_made)
    for _ in range(500):  # the kernel frees some a grace period later, which a busy machine drags out
        if not alive:
            break
        time.sleep(0.02)
        alive = _alive(alive)
    assert not alive, f"still in the kernel: {alive}"


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def netns() -> Iterator[None]:
    """A network namespace of this thread's own, with `lo` up and a pair `veth0`, `veth1`, both up."""
    from tests.kernel import net

    libc = _libc()
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"no private network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            net.up("lo")
            net.add_veth("veth0", "veth1")
            yield
        finally:
            assert libc.setns(home, CLONE_NEWNET) == 0
    finally:
        os.close(home)


@pytest.fixture
def bpffs() -> Iterator[str]:
    """The path of a bpffs that is mounted nowhere and goes with the test."""
    from purebpf.loader import sys as live

    fd = live.mount_detached("bpf")
    if isinstance(fd, int):
        pytest.skip(f"no private bpffs: {os.strerror(-fd)}")
    with fd:
        yield f"/proc/self/fd/{fd.fileno()}"


@pytest.fixture(scope="session")
def clang_object(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`clang_object("maps")`: tests/data/loader/maps.bpf.c as an object file, by clang-19."""
    import platform
    import shutil
    import subprocess

    out = tmp_path_factory.mktemp("clang")
    sources = os.path.join(os.path.dirname(__file__), "data", "loader")
    clang = shutil.which("clang-19")

    def build(name: str) -> str:
        if clang is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("clang-19 is not installed")
        path = str(out / f"{name}.bpf.o")
        if not os.path.exists(path):
            subprocess.run([str(clang), "-O2", "-g", "-target", "bpf", "-mcpu=v3",
                            f"-I/usr/include/{platform.machine()}-linux-gnu", "-c",
                            os.path.join(sources, f"{name}.bpf.c"), "-o", path], check=True)
        return path

    return build
