"""What a container does to a process that looks like root: the error names the cause, and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.kernel

LOAD = """
    from tests.kernel.specs import obj
    from purebpf import loader
    from purebpf.errors import KernelError
    from purebpf.spec import MapSpec
    def load(spec):
        try:
            loader.load(spec, attach=True).close()
            print("loaded")
        except KernelError as error:
            print(type(error).__name__, error)
    load(obj("xdp", "r0 = 0\\nexit"))
"""
SECCOMP = """
    import ctypes, struct
    libc = ctypes.CDLL(None, use_errno=True)
    rows = struct.pack("=" + "HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, {number}, 0x06, 0, 0, 0x00050000 | {errno}, 0x06, 0, 0, 0x7FFF0000)
    held = ctypes.create_string_buffer(rows)
    program = ctypes.create_string_buffer(struct.pack("HL", 4, ctypes.addressof(held)))
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
"""


def said(script: str, *before: str) -> str:
    run = subprocess.run([*before, sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True,
                         cwd=os.path.join(os.path.dirname(__file__), "../.."), check=False, timeout=120)
    if before and ("unshare:" in run.stderr or "mount:" in run.stderr):
        pytest.skip(f"not to be had here: {run.stderr}")
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_user_namespace_is_named() -> None:
    got = said(LOAD, "unshare", "-Ur")
    assert got.startswith("NotSupported") and "user namespace" in got and "purebpf run" in got


@pytest.mark.parametrize("errno", [1, 38])
def test_a_seccomp_filter_is_named(errno: int) -> None:
    from purebpf.loader import sys as live

    got = said(textwrap.dedent(SECCOMP.format(number=live._NR_BPF, errno=errno)) + textwrap.dedent(LOAD))
    assert got.startswith("NotSupported") and "seccomp" in got and "purebpf run" in got


@pytest.mark.parametrize(("drop", "named"), [("-bpf,-sys_admin,-net_admin", "CAP_BPF and CAP_NET_ADMIN"), ("-sys_admin,-net_admin", "CAP_NET_ADMIN")])
def test_each_missing_capability_is_named(drop: str, named: str) -> None:
    got = said(LOAD, "setpriv", f"--inh-caps={drop}", f"--bounding-set={drop}")
    assert got.startswith("NotSupported") and named in got


def test_without_sysfs_it_says_so() -> None:
    script = textwrap.dedent(LOAD) + textwrap.dedent("""
        load(obj("xdp", "r1 = map:m\\nr0 = 0\\nexit", maps=(MapSpec("m", 6, 4, 8, 1),)))
        load(obj("xdp", "r1 = map:m\\nr0 = 0\\nexit", maps=(MapSpec("m", 2, 4, 8, 1),)))
        load(obj("tracepoint/syscalls/sys_enter_getpgid", "r0 = 0\\nexit"))
    """)
    mask = "mount -t tmpfs none /sys && exec \"$@\""
    lines = [line for line in said(script, "unshare", "-m", "sh", "-c", mask, "sh").splitlines() if "help:" not in line]
    assert lines[0] == "loaded" and lines[2:] == ["loaded", "loaded"]
    assert lines[1].startswith("NotSupported the number of possible CPUs")


def test_too_few_descriptors_is_no_verdict_of_the_verifier() -> None:
    got = said(textwrap.dedent("""
        import os, resource
        from tests.kernel.specs import obj
        from purebpf import loader
        from purebpf.errors import KernelError, VerifierError
        spec = obj("xdp", "r0 = 0\\nexit")
        loader.load(spec).close()
        used = max(map(int, os.listdir("/proc/self/fd")))
        for spare in range(0, 2):
            resource.setrlimit(resource.RLIMIT_NOFILE, (used + spare, 4096))
            try:
                loader.load(spec).close()
            except KernelError as error:
                print(isinstance(error, VerifierError), error.errno == 24, "RLIMIT_NOFILE" in str(error))
            resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    """))
    assert "False True True" in got and "True True" not in got.replace("False True True", "")


def test_too_little_memory_cuts_the_log_and_not_the_error() -> None:
    got = said(textwrap.dedent("""
        import resource
        from tests.kernel.specs import obj
        from purebpf import loader
        from purebpf.errors import VerifierError
        from purebpf.loader import bpf, progs
        spec = obj("xdp", "r0 = *(u64 *)(r1 + 4)\\nexit")
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20),) * 2)
        try:
            loader.load(spec)
        except VerifierError as error:
            print(error.summary)
    """))
    assert "invalid bpf_context access" in got


def test_features_with_one_capability_tells_what_it_may_ask() -> None:
    got = said("from purebpf.cli import main; main(['features'])", "setpriv", "--inh-caps=-all,+bpf",
               "--bounding-set=-all,+bpf")
    assert "yes hash" in got and "yes socket_filter" in got and "\n  ?   " in got and "may not ask" in got


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
TRUTHS = [  # a command, and what it must say to somebody without privilege; on which of its outputs
    ("prog list", "lacks CAP_SYS_ADMIN"), ("map list", "lacks CAP_SYS_ADMIN"), ("link list", "lacks CAP_SYS_ADMIN"),
    ("btf list", "lacks CAP_SYS_ADMIN"), ("net list", "lacks CAP_SYS_ADMIN"), ("net list --stale", "lacks CAP_SYS_ADMIN"),
    ("cgroup list", "lacks CAP_"), ("struct-ops list", "lacks CAP_SYS_ADMIN"), ("perf list", "not this user's to look at"),
    ("top --count 1 --interval 0.1", "lacks CAP_SYS_ADMIN"), ("trace-pipe --seconds 0.1", "lacks CAP_"), ("map show 1", "lacks CAP_SYS_ADMIN"),
    ("prog profile 1 --seconds 0.1", "lacks CAP_SYS_ADMIN"), ("load {file}", "lacks CAP_"), ("stat {file}", "lacks CAP_"),
    ("map create /sys/fs/bpf/x --type hash --key 4 --value 8", "lacks CAP_BPF"), ("features", "this process may not ask")]


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NOBODY, sys.executable, "-B", *arguments], capture_output=True, text=True, check=False,
                          cwd=os.path.join(os.path.dirname(__file__), "../.."), timeout=60)


@pytest.fixture(scope="module")
def readable() -> Iterator[str]:
    """The path of a Python file that everybody may read."""
    if shutil.which("setpriv") is None or as_nobody("-c", "import purebpf.cli").returncode:
        pytest.skip("no setpriv, or nobody may not read this directory")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        path = os.path.join(place, "x.py")
        with open(path, "w", encoding="ascii") as file:
            file.write("import purebpf as bpf\n@bpf.xdp\ndef f(ctx):\n    return bpf.XDP_PASS\n")
        os.chmod(path, 0o644)
        yield path


@pytest.mark.parametrize(("command", "truth"), TRUTHS, ids=lambda value: value.split("{")[0])
def test_commands_tell_nobody_the_truth(command: str, truth: str, readable: str) -> None:
    """No empty list that is none, no verdict of the verifier that it did not give, no traceback."""
    from tests.kernel.test_links import cgroup_root

    if command == "cgroup list" and not cgroup_root():
        pytest.skip("no cgroup2 is mounted")
    got = as_nobody("-m", "purebpf", *command.format(file=readable).split())
    assert truth in got.stdout + got.stderr and "Traceback" not in got.stderr, got.stdout[-500:] + got.stderr[-500:]
    assert got.returncode == (0 if command in ("perf list", "features") else 1)
    if command == "features":
        lines = [line.split()[:2] for line in got.stdout.splitlines()]
        assert ["?", "tracing"] in lines and ["no", "tracing"] not in lines
