"""Programs of hooks that are more than a section: system calls with and without kprobes, iterators that write, sessions."""

from __future__ import annotations

import os

import pytest

import purebpf as bpf
from purebpf import HashMap, loader, u32, u64
from purebpf.api import compile_all
from purebpf.errors import CompileError
from purebpf.target import Target
from tests.corpus.tracing import system_calls

pytestmark = pytest.mark.kernel


def test_a_system_call_is_seen_by_whatever_the_kernel_has() -> None:
    with bpf.load(system_calls.on_open, system_calls.on_result) as k:
        k[system_calls.me].value = os.getpid()
        os.close(os.open("/etc/hostname", os.O_RDONLY))
        with pytest.raises(FileNotFoundError):
            os.open("/no such file", os.O_RDONLY)
        names = [e.name for e in k[system_calls.opened].read() if e.pid == os.getpid()]
        assert [n for n in names if n in ("/etc/hostname", "/no such file")] == ["/etc/hostname", "/no such file"]
        assert k[system_calls.worst].value == -2
        assert k[system_calls.on_open].name == "on_open"


@pytest.mark.parametrize(("lacks", "sections"), [
    ((), ["ksyscall/openat", "kretsyscall/openat"]),
    (("kprobe",), ["tracepoint/syscalls/sys_enter_openat", "tracepoint/syscalls/sys_exit_openat"]),
])
def test_where_a_system_call_is_seen(lacks: tuple[str, ...], sections: list[str]) -> None:
    compiled = compile_all(system_calls.on_open, system_calls.on_result, target=Target(lacks=frozenset(lacks)))
    assert [one.section for one in compiled.spec.programs.values()] == sections
    assert compiled.names[system_calls.on_open] == "on_open"


def test_what_the_running_kernel_lacks() -> None:
    assert ("kprobe" in loader.lacks()) != os.path.exists("/sys/bus/event_source/devices/kprobe")


seen = HashMap[u32, u64](max_entries=64)


def note(ctx, task):  # type: ignore[no-untyped-def]  # a user's function
    print("in", task.pid, sep=":", end=";", file=ctx)


@bpf.iter("task")
def tasks(ctx, task):  # type: ignore[no-untyped-def]
    bpf.seq_print(f"{task.pid:8} {task.comm}\n")
    print("of", task.tgid, 1, 2, 3, ctx.meta.seq_num, file=ctx)
    note(ctx, task)
    bpf.seq_print("\n")


@bpf.iter("bpf_map_elem")
def entries(ctx, key: bpf.Ptr[u32], value: bpf.Ptr[u64]):  # type: ignore[no-untyped-def]
    bpf.seq_print(f"{key.value}={value.value} ")


def test_iterators_write_what_a_reader_reads() -> None:
    with bpf.load(tasks) as k:
        lines = k.links[0].read().splitlines()
    with open("/proc/self/comm", encoding="utf-8") as file:
        own = file.read().strip()
    at = lines.index(f"{os.getpid():8} {own}")
    assert lines[at + 1].startswith(f"of {os.getpid()} 1 2 3 ") and lines[at + 2] == f"in:{os.getpid()};"
    assert len(lines) % 3 == 0


def test_an_iterator_over_a_map() -> None:
    @bpf.xdp
    def fill(ctx):  # type: ignore[no-untyped-def]
        seen[1] = 10
        seen[2] = 20
        return 2

    with bpf.load(fill, entries, attach=False) as k:
        k[fill].test_run(bytes(64))
        link = k[entries].attach(k[seen])
        assert sorted(link.read().split()) == ["1=10", "2=20"]


@bpf.xdp
def writes_nowhere(ctx):  # type: ignore[no-untyped-def]
    bpf.seq_print("x")
    return 2


@bpf.xdp
def writes_into_a_packet(ctx):  # type: ignore[no-untyped-def]
    print("x", file=ctx)
    return 2


def lost() -> None:
    bpf.seq_print("x")


@bpf.iter("task")
def loses(ctx, task):  # type: ignore[no-untyped-def]
    lost()


@pytest.mark.parametrize(("program", "said"), [
    (writes_nowhere, "only iterator programs have a file to write to"), (writes_into_a_packet, "only iterator programs have a file"),
    (loses, "print(…, file=ctx)"),
])
def test_what_has_no_file(program: object, said: str) -> None:
    with pytest.raises(CompileError) as error:
        compile_all(program)
    assert said in str(error.value)


@bpf.uprobe_multi("libc.so.6:getppid", session=True)
def around(ctx):  # type: ignore[no-untyped-def]
    if bpf.current_pid() == seen.get(0, 0):
        seen[100 + ctx.is_return] += 1
        if ctx.function:
            seen[102] += 1
        if ctx.is_return:
            seen[103] = ctx.session.value
        else:
            ctx.session.value = 42
    return 0


@bpf.uprobe("libc.so.6:getppid")
def with_cookie(ctx):  # type: ignore[no-untyped-def]
    seen[ctx.cookie] += 1


def test_sessions_and_cookies() -> None:
    with bpf.load(around, with_cookie, attach=False) as k:
        k[seen][0] = os.getpid()
        with k[around].attach(), k[with_cookie].attach(cookie=7):
            os.getppid()
        assert (k[seen].get(100), k[seen].get(101), k[seen].get(102), k[seen].get(103)) == (1, 1, 2, 42)
        assert k[seen][7] >= 1


@pytest.mark.parametrize(("make", "section"), [
    (lambda: bpf.fentry("vfs_read", sleepable=True), "fentry.s/vfs_read"), (lambda: bpf.lsm("file_open", sleepable=True), "lsm.s/file_open"),
    (lambda: bpf.uprobe("libc.so.6:malloc", sleepable=True), "uprobe.s/libc.so.6:malloc"), (lambda: bpf.iter("task", sleepable=True), "iter.s/task"),
    (lambda: bpf.kprobe_multi("tcp_*", session=True), "kprobe.session/tcp_*"), (lambda: bpf.usdt("a:b:c"), "usdt/a:b:c"),
    (lambda: bpf.uprobe_multi("libc.so.6:mem*", sleepable=True), "uprobe.multi.s/libc.so.6:mem*"),
    (lambda: bpf.uprobe_multi("libc.so.6:mem*", session=True, sleepable=True), "uprobe.session.s/libc.so.6:mem*"),
])
def test_what_decorators_say(make, section: str) -> None:  # type: ignore[no-untyped-def]
    assert make()(note).section == section


def test_what_cannot_sleep() -> None:
    with pytest.raises(TypeError, match="programs of @kprobe cannot sleep; those of fentry, "):
        bpf.kprobe("vfs_read", sleepable=True)


@bpf.iter("bpf_map_elem")
def doubles(ctx, key: bpf.Ptr[u32], value: bpf.Ptr[u64]):  # type: ignore[no-untyped-def]
    before = value.value
    entry = seen.lookup(key.value)
    if entry is not None:
        entry.value = before * 2
    bpf.seq_print(f"{value.value} ")


def test_an_entry_that_an_iterator_gives_has_other_names() -> None:
    with bpf.load(doubles, attach=False) as k:
        k[seen][1] = 10
        with k[doubles].attach(k[seen]) as link:
            assert link.read().split() == ["20"]


def test_hooks_are_attributes_too() -> None:
    assert bpf.fentry.tcp_connect(note).section == "fentry/tcp_connect"
    assert bpf.tracepoint.sched.sched_switch(note).section == "tracepoint/sched/sched_switch"
    assert "tcp_connect" in dir(bpf.fentry) and "vfs_read" in dir(bpf.kprobe) and "file_open" in dir(bpf.lsm)
    assert "sched" in dir(bpf.tracepoint) and "sched_switch" in dir(bpf.tracepoint.sched) and "openat" in dir(bpf.ksyscall)
    assert dir(bpf.uprobe) == [] and not hasattr(bpf.fentry, "__wrapped__")
