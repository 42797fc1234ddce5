"""Which hooks the kernel has: near names where one is wrong, silence where nothing can be seen."""

from __future__ import annotations

import errno

import pytest

from purebpf.api import compile_all, hook_names
from purebpf.btf import kernel as kernel_btf
from purebpf.errors import CompileError, NotSupported
from purebpf.loader import hooknames, tracefs
import purebpf as bpf

RIGHT = [("category/name", "syscalls/sys_enter_openat", ""), ("syscall", "openat", ""), ("func", "tcp_connect+0x10", ""),
         ("glob", "tcp_*", ""), ("name", "sched_switch", ""), ("btf", "tcp_connect", ""), ("btf", "file_open", "bpf_lsm_"),
         ("path:func", "nothing", ""), ("any", "nothing", "")]
WRONG = [("category/name", "syscalls/sys_enter_opnat", ""), ("syscall", "opnat", ""), ("func", "tcp_conect", ""),
         ("name", "sched_swich", ""), ("btf", "tcp_conect", ""), ("btf", "file_opn", "bpf_lsm_"), ("struct", "task_strukt", "")]


@bpf.tracepoint("no:such")
def nowhere(ctx):  # type: ignore[no-untyped-def]
    pass


@pytest.mark.kernel
@pytest.mark.parametrize("kind, name, prefix", RIGHT)
def test_what_is_there_is_not_questioned(kind: str, name: str, prefix: str) -> None:
    assert hook_names(kind, name, prefix) is None


@pytest.mark.kernel
@pytest.mark.parametrize("kind, name, prefix", WRONG)
def test_what_is_not_there_gets_the_others(kind: str, name: str, prefix: str) -> None:
    found = hook_names(kind, name, prefix)
    assert found is not None and name not in found


@pytest.mark.parametrize("kind, name, prefix", RIGHT + WRONG)
def test_where_nothing_is_to_be_seen_nothing_is_said(kind: str, name: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(*_: object) -> None:
        raise NotSupported(errno.ENOENT, "this")

    monkeypatch.setattr(tracefs, "open_root", hidden)
    monkeypatch.setattr(tracefs, "kernel_functions", set)
    monkeypatch.setattr(kernel_btf, "mentions", hidden)
    monkeypatch.setattr(kernel_btf, "vmlinux", hidden)
    monkeypatch.setattr(kernel_btf, "modules", lambda: ["hidden"])
    assert hooknames.others(kind, name, prefix) is None


@pytest.mark.kernel
def test_a_program_for_the_vm_may_hang_anywhere() -> None:
    with pytest.raises(CompileError):
        compile_all(nowhere)
    assert compile_all(nowhere, hooks=None).spec.programs
    assert nowhere.simulate(ctx={}).retval == 0
