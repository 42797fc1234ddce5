"""Stacks: the addresses that the kernel walks, as names of the kernel and of processes."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from purebpf import loader
from purebpf.loader.symbolize import Frame, KernelSymbols, ProcessSymbols, Stack, folded
from purebpf.spec import MapSpec, ObjectSpec
from purebpf.uapi.enums import MapType
from tests.kernel.specs import obj
from tests.kernel.test_links import HITS, getpgid

pytestmark = pytest.mark.kernel
SOURCE = Path(__file__).parents[1] / "data/loader/nested.c"
USER_STACK = 256


def taking(section: str, flags: int) -> ObjectSpec:
    text = f"""
        r2 = map:stacks
        r3 = {flags}
        call get_stackid
        r1 = data:.bss
        *(u64 *)(r1 + 0) = r0
        r0 = 0
        exit"""
    return obj(section, text, maps=(MapSpec("stacks", MapType.STACK_TRACE, 4, 8 * 64, 64),), data=(HITS,))


@pytest.fixture(scope="module", params=["symbols", "stripped", "debug file"])
def nested(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    compiler, objcopy = shutil.which("gcc") or shutil.which("clang-19"), shutil.which("objcopy")
    if compiler is None or objcopy is None:
        pytest.skip("no C compiler or no objcopy is installed")
    path = str(tmp_path_factory.mktemp("stacks") / "nested")
    subprocess.run([compiler, "-O0", "-fcf-protection=none", "-rdynamic",
                    "-pie", "-fPIE", str(SOURCE), "-o", path], check=True)
    if request.param == "debug file":
        subprocess.run([objcopy, "--only-keep-debug", path, path + ".debug"], check=True)
        subprocess.run([objcopy, "--strip-all", f"--add-gnu-debuglink={path}.debug", path], check=True)
    elif request.param == "stripped":
        subprocess.run([objcopy, "--strip-all", path], check=True)
    return path, request.param


@pytest.fixture
def child(nested: tuple[str, str]) -> Iterator[Any]:
    with subprocess.Popen([nested[0]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None

        def call() -> int:
            process.stdin.write("\n")
            process.stdin.flush()
            return int(process.stdout.readline().split()[0], 16)

        call.pid = process.pid
        yield call
        process.stdin.close()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the length of a prologue")
def test_a_users_stack(nested: tuple[str, str], child: Any) -> None:
    path, kind = nested
    with loader.load(taking("uprobe", USER_STACK)) as k:
        k["prog"].attach(f"{path}:inner+4", pid=child.pid)  # after push rbp, mov rbp, rsp
        inner = child()
        stack = k["stacks"][k["hits"].value]
        frames = stack.symbols(child.pid)
        assert stack[0] == inner + 4 == frames[0].address and frames[0][1:] == ("inner", 4, path)
        named = [frame.name for frame in frames[:4]]
        assert named == ["inner", "middle" if kind != "stripped" else "", "outer", "main"]
        assert stack.folded(child.pid).split(";")[-4:] == ["main", "outer", "middle" if kind != "stripped" else f"[{path}]", "inner"]
        assert all(frame.module for frame in frames) and str(frames[0]) == f"inner+0x4 ({path})"


def test_a_deleted_file_still_has_names(nested: tuple[str, str], tmp_path: Path) -> None:
    copy = str(tmp_path / "gone")
    shutil.copy(nested[0], copy)
    with subprocess.Popen([copy], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        inner = int(process.stdout.readline().split()[0], 16)
        os.unlink(copy)
        assert ProcessSymbols(process.pid).frame(inner + 2)[1:] == ("inner", 2, copy)
        process.stdin.close()


def test_a_kernels_stack() -> None:
    with loader.load(taking("tracepoint/syscalls/sys_enter_getpgid", 0), attach=True) as k:
        getpgid()
        stack = k["stacks"][k["hits"].value]
        frames = stack.symbols()
        assert len(stack) > 2 and "do_syscall_64" in [f.name for f in frames] or platform.machine() != "x86_64"
        assert all(f.name and f.module for f in frames), frames
        assert not Frame(1, "", 0, "").name and KernelSymbols().frame(16).name == ""


def test_bpf_programs_have_names() -> None:
    with loader.load(taking("raw_tp/sys_enter", 0), attach=True) as k:
        getpgid()
        tag = k["prog"].info.tag.hex()
        frames = k["stacks"][k["hits"].value].symbols()
        assert any(f.name.startswith(f"bpf_prog_{tag}") and f.module == "[bpf]" for f in frames), frames


def test_what_a_jit_wrote_for_perf() -> None:
    path = f"/tmp/perf-{os.getpid()}.map"
    with open(path, "w") as file:
        file.write("10 20 first thing\n30 8 second\n")
    try:
        names = ProcessSymbols(os.getpid())
        assert names.frame(0x11)[1:] == ("first thing", 1, "[jit]") and names.frame(0x37).name == "second"
        assert names.frame(0x38) == Frame(0x38, "", 0, "")
    finally:
        os.unlink(path)


def test_folded_stacks_add_up() -> None:
    stacks = [(Stack([1, 2]), 3), (Stack([1, 2]), 4), (Stack([2]), 9)]
    assert folded(stacks, lambda s: ";".join(map(str, reversed(s)))) == "2 9\n2;1 7\n"
    assert ProcessSymbols(999_999_999).frame(5) == Frame(5, "", 0, "")


def test_a_return_address_is_looked_up_at_its_call() -> None:
    """A call may be the last instruction of its function: what follows is another's."""
    asked: list[int] = []

    class Names(KernelSymbols):
        def frame(self, address: int) -> Frame:
            asked.append(address)
            return Frame(address, f"f{address}", 0, "")

    frames = Stack([100, 200, 300]).symbols(names=Names())
    assert asked == [100, 199, 299] and [(f.address, f.name) for f in frames] == [(100, "f100"), (200, "f199"), (300, "f299")]


def test_names_are_demangled_where_the_library_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from purebpf.loader.symbolize import demangled

    pytest.importorskip("demangle")
    assert demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE") == "core::fmt::Formatter::pad"
    assert demangled("_ZNSt6vectorIiSaIiEE9push_backERKi").startswith("std::vector<int")
    assert demangled("main") == "main" and demangled("_Zbroken") == "_Zbroken"
    demangled.cache_clear()
    monkeypatch.setitem(sys.modules, "demangle", None)
    assert demangled("_ZN3foo3barEv") == "_ZN3foo3barEv"
    demangled.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the length of a prologue")
def test_every_frame_is_what_gdb_says(nested: tuple[str, str], child: Any) -> None:
    """Function and offset of each address of a user's stack, beside gdb on the same process."""
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("gdb is not installed")
    path, kind = nested
    with loader.load(taking("uprobe", USER_STACK)) as k:
        k["prog"].attach(f"{path}:inner+4", pid=child.pid)
        child()
        stack = k["stacks"][k["hits"].value]
        frames = stack.symbols(child.pid)
    commands = [word for address in stack for word in ("-ex", f"info symbol {address:#x}")]
    got = subprocess.run([gdb, "-p", str(child.pid), "-batch", "-nx", *commands], capture_output=True, text=True, check=False)
    if "Could not attach" in got.stderr or "ptrace" in got.stderr:
        pytest.skip("gdb may not attach here")
    said = [line for line in got.stdout.splitlines() if " in section " in line or line.startswith("No symbol matches")]
    assert len(said) == len(stack), got.stdout + got.stderr
    known = 0
    for frame, line in zip(frames, said):
        if line.startswith("No symbol"):
            continue
        name, _, offset = line.partition(" in section ")[0].partition(" + ")
        if frame.name and name.partition("@")[0] == frame.name:
            known += 1
            offset_here = frame.offset + (frame is not frames[0])  # ours looks up the call, one byte before the return address
            assert offset_here == int(offset or 0), (frame, line)
        elif frame.name:
            assert frame.module != path, (frame, line)  # of a library there are several names for an address
    assert known >= (3 if kind != "stripped" else 1)
