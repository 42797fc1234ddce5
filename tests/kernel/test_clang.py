"""Objects that clang built, through our reader and our loader."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from purebpf import elf, loader
from purebpf.errors import NotSupported, VerifierError
from purebpf.loader import sys as live_sys

pytestmark = pytest.mark.kernel
FRAME = bytes(64)
Build = Callable[[str], str]


def test_maps_are_typed_by_the_object_s_btf(clang_object: Build) -> None:
    with loader.load(elf.read(clang_object("maps"))) as k:
        for size in (64, 64, 80):
            assert k["count"].test_run(bytes(size)).retval == 2
        assert k["array"][3] == 64 + 64 + 80
        assert {key: e.count for key, e in k["hash"].items()} == {64: 2, 80: 1}
        assert k["percpu"][0].sum().count == 3
        assert len(k["percpu"][0]) == live_sys.possible_cpus()
        assert len(k["lru"]) == 2
        assert [len(record) for record in k["events"].read()] == [16, 16, 16]
        with loader.open_map(k["hash"].info.id) as other:  # typed by the BTF in the kernel
            assert other[64].count == 2


def test_globals(clang_object: Build) -> None:
    spec = elf.read(clang_object("globals"))
    with loader.load(spec) as k:
        first = k["run"].test_run(FRAME).retval
        assert k["hits"].value == 1 and k["limit"].value == 10 and k["start"].value == 1000
        assert k["label"].value == "abc" and k["packed"].value.b == [2, 3, 4]
        k["start"].value = 0
        assert k["run"].test_run(FRAME).retval == first - 1000
    with loader.load(spec, constants={"limit": 0, "label": "xyz"}) as k:
        assert k["run"].test_run(FRAME).retval == 1000 + 1 + 4 and k["label"].value == "xyz"
        assert k["tail"].test_run(FRAME).retval == 64


def test_core_reads_this_kernel_s_task(clang_object: Build) -> None:
    with loader.load(elf.read(clang_object("core"))) as k:
        assert k["look"].test_run(ctx=bytes(16)).retval == os.getpid()
        out = k["out"].value
        assert (out.tgid, out.parent) == (os.getpid(), os.getppid())
        with open("/proc/self/comm", encoding="utf-8") as file:
            assert out.comm == file.read().strip()
        assert (out.size, out.has_none, out.has_pid, out.hash, out.has_nowhere, out.has_struct) == (1, 0, 1, 1, 0, 1)


def test_initial_slots(clang_object: Build) -> None:
    with loader.load(elf.read(clang_object("slots"))) as k:
        assert k["begin"].test_run(FRAME).retval == 42
        assert k["second"][1] == 5 and list(k["outer"]) == [0, 2] and list(k["jumps"]) == [1]
        assert "optional" not in k.programs


def test_externs(clang_object: Build) -> None:
    with loader.load(elf.read(clang_object("externs"))) as k:
        assert k["look"].test_run(FRAME).retval == 2
        out = k["out"].value
        major, minor, patch = live_sys.kernel_version()
        assert out.version == major << 16 | minor << 8 | min(patch, 255)
        assert (out.none, out.symbol) == (0, 0)
        with loader.Kernel() as kernel:
            try:
                hz = int(kernel.config("CONFIG_HZ") or 0)
            except NotSupported:  # no configuration file: weak externs are 0
                hz = 0
        assert (out.bpf, out.hz) == (int(hz > 0), hz)


def test_a_tracepoint_counts(clang_object: Build) -> None:
    with loader.load(elf.read(clang_object("trace")), attach=True) as k:
        for _ in range(5):
            os.getpgid(0)
        assert k["calls"][os.getpid()] == 5 and k["total"].value >= 5


def test_line_info_of_clang_shows_the_c_line(clang_object: Build) -> None:
    spec = elf.read(clang_object("trace"))
    program = spec.programs["on_getpgid"]
    at = next(n for n, i in enumerate(program.func.insns) if i.code == 0x15)  # the test for null
    insns = list(program.func.insns)
    insns[at] = insns[at]._replace(imm=7)  # says nothing about null any more
    broken = spec._replace(programs={"on_getpgid": program._replace(func=program.func._replace(insns=tuple(insns)))})
    with pytest.raises(VerifierError) as caught:
        loader.load(broken)
    assert caught.value.span is not None and caught.value.span.file.endswith("trace.bpf.c")
    assert "__sync_fetch_and_add(n, 1);" in str(caught.value) and "may be null" in str(caught.value)
