"""The oldest kernel that has what a program asks for, and where it is said that a stated one lacks it."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType
from typing import Any

import pytest

from purebpf.api import compile_all, module_programs
from purebpf.compiler import Compiled
from purebpf.errors import CompileError
from purebpf.target import FLOOR, explain, target
from purebpf.uapi import versions
from purebpf.uapi.enums import ProgType, names
from purebpf.uapi.hooks import HOOKS

HEAD = """import purebpf as bpf
from purebpf import *
g = Global[u64](0)
m = HashMap[u32, u64](max_entries=4)
"""
XDP = "@bpf.xdp\ndef f(ctx):\n"
PROBE = '@bpf.kprobe("do_nanosleep")\ndef f(ctx):\n'
S = "@bpf.struct\nclass S:\n    a: u64\n"
TEXT = "@bpf.struct\nclass T:\n    t: char[32]\nt = Global[T]()\n"

# (what, first kernel, program); the line that asks ends in "#!", where a line does
CASES = (
    ("nothing", "5.10", XDP + "    return 2"),
    ("an addition to an entry", "5.10", XDP + "    m[1] += 4\n    return 2"),
    ("another atomic operation", "5.12", XDP + "    m[1] |= 4  #!\n    return 2"),
    ("a helper of tracing", "5.10", PROBE + "    g.value = bpf.current_pid()"),
    ("the same from XDP", "6.10", XDP + "    g.value = bpf.current_pid()  #!\n    return 2"),
    ("the name of the process, cgroup", "6.1", TEXT + "@bpf.cgroup_sysctl\ndef f(ctx):\n    t.value.t = bpf.current_comm()  #!\n    return 1"),
    ("the name of the process, XDP", "6.16", TEXT + XDP + "    t.value.t = bpf.current_comm()  #!\n    return 2"),
    ("a function that two types of program call", "6.16",
     TEXT + "def note():\n    t.value.t = bpf.current_comm()\n" + PROBE.replace("f(", "k(") + "    note()\n" + XDP + "    note()  #!\n    return 2"),
    ("the namespace of a packet, egress", "6.15",
     '@bpf.cgroup_skb("egress")\ndef f(ctx):\n    return 1 if bpf.helpers.get_netns_cookie(ctx) else 0  #!'),
    ("tc by a qdisc", "5.10", '@bpf.tc("ingress")\ndef f(ctx):\n    return 0'),
    ("tcx", "6.6", '@bpf.tcx("ingress")  #!\ndef f(ctx):\n    return 0'),
    ("XDP of several buffers", "5.18", '@bpf.xdp("frags")  #!\ndef f(ctx):\n    return 2'),
    ("XDP behind a cpumap", "5.10", '@bpf.xdp("cpumap")\ndef f(ctx):\n    return 2'),
    ("many probes", "5.18", '@bpf.kprobe_multi("tcp_*")  #!\ndef f(ctx):\n    pass'),
    ("many user probes", "6.6", '@bpf.uprobe_multi("libc.so.6:mem*")  #!\ndef f(ctx):\n    pass'),
    ("a sleepable user probe", "6.0", '@bpf.section("uprobe.s//bin/bash:readline")  #!\ndef f(ctx):\n    pass'),
    ("a netfilter program", "6.4", "@bpf.netfilter  #!\ndef f(ctx):\n    return 1"),
    ("a system call program", "5.14", "@bpf.syscall  #!\ndef f(ctx):\n    return 0"),
    ("Unix sockets", "6.7", "@bpf.cgroup_connect_unix  #!\ndef f(ctx):\n    return 1"),
    ("an iterator over tasks", "5.10", '@bpf.iter("task")\ndef f(ctx):\n    g.value += 1'),
    ("one over memory areas", "5.12", '@bpf.iter("task_vma")  #!\ndef f(ctx):\n    g.value += 1'),
    ("one over cgroups", "6.1", '@bpf.iter("cgroup")  #!\ndef f(ctx):\n    g.value += 1'),
    ("a field of the context", "5.16", "@bpf.tc\ndef f(ctx):\n    return 1 if ctx.hwtstamp else 0  #!"),
    ("another", "5.17", "@bpf.sk_lookup\ndef f(ctx):\n    return 1 if ctx.ingress_ifindex else 0  #!"),
    ("a pointer to a subprogram", "5.10",
     S + "@bpf.func\ndef touch(s: Ptr[S]) -> u64:\n    return s.a\n" + XDP + "    x = S(a=1)\n    return touch(x)"),
    ("a pointer to a global function", "5.12",
     S + "@bpf.func(global_=True)\ndef touch(s: Ptr[S] | None) -> u64:\n    return s.a if s is not None else 0\n" + XDP
     + "    x = S(a=1)\n    return touch(x)  #!"),
    ("a lock", "5.10", "@bpf.struct\nclass A:\n    lock: SpinLock\n    n: u64\na = HashMap[u32, A](max_entries=4)\n" + XDP
     + "    e = a.lookup(1)\n    if e is not None:\n        with e.lock:\n            e.n += 1\n    return 2"),
    ("a walk through a map", "5.13", XDP + "    for k, v in m.items():  #!\n        g.value += k\n    return 2"),
    ("bpf_loop", "5.17", XDP + "    bpf.loop(1000, lambda i: None)  #!\n    return 2"),
    ("an iterator in a loop", "6.4", XDP + "    for i in bpf.iter.num(0, 1000):  #!\n        g.value += 1\n    return 2"),
    ("a loop without a bound", "6.4",
     XDP + "    n = g.value\n    while n > 1:\n        n = n // 2 if n % 2 == 0 else 3 * n + 1\n    return 2"),
    ("a ring buffer", "5.10", "r = RingBuf[u64](max_entries=4096)\n" + PROBE + "    r.output(u64(1))"),
    ("a Bloom filter", "5.16", "b = BloomFilter[u32](max_entries=64)\n" + XDP + "    return 1 if 5 in b else 2  #!"),
    ("per-CPU entries", "5.10", "p = PerCpuHash[u32, u64](max_entries=4)\n" + XDP + "    p[1] += 1\n    return 2"),
    ("three printed numbers", "5.10", PROBE + '    print("a", ctx.ip, ctx.sp)'),
    ("five", "5.16", PROBE + '    print("a", ctx.ip, ctx.sp, ctx.ip, ctx.sp, ctx.ip)  #!'),
    ("formatted text", "5.13", TEXT + PROBE + '    t.value.t = f"{bpf.current_pid()}x"  #!'),
    ("text compared", "5.10", PROBE + '    if bpf.current_comm().startswith("ab"):\n        g.value += 1'),
    ("the address of the function", "5.15", PROBE + "    g.value = bpf.helpers.get_func_ip(ctx)  #!"),
    ("preemption off", "6.10", "@bpf.tc\ndef f(ctx):\n    with bpf.preempt_off():  #!\n        g.value = 1\n    return 0"),
    ("a kernel function", "6.2",
     "from purebpf.kernel.kfuncs import bpf_task_from_pid, bpf_task_release\n@bpf.tp_btf('task_newtask')\ndef f(task, clone_flags):\n"
     "    with bpf_task_from_pid(4) as t:  #!\n        g.value = u64(t.pid)"),
    ("a tail call in a function", "5.10", "p = ProgArray(max_entries=2)\n" + XDP + "    p[1](ctx)\n    return 2"),
)
NAMES = [one[0] for one in CASES]


def build(name: str, text: str, **options: Any) -> Compiled:
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    module = ModuleType("kernels_program")
    sys.modules[module.__name__] = module
    exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)
    return compile_all(*module_programs(module), **options)


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "since", "text"), CASES, ids=NAMES)
def test_the_oldest_that_has_it(name: str, since: str, text: str) -> None:
    compiled = build(name, HEAD + text)
    assert compiled.needs.oldest() == since
    build(name, HEAD + text, kernel=since)
    lines = explain(target(), compiled.needs)
    assert f"for Linux {since} and later" in lines[0] and (len(lines) > 1) == (since != FLOOR)


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "since", "text"), [one for one in CASES if "#!" in one[2]], ids=[n for n, _, t in CASES if "#!" in t])
def test_a_kernel_that_lacks_it_is_told_at_the_line(name: str, since: str, text: str) -> None:
    major, minor = versions.number(since)
    older = f"{major}.{minor - 1}" if minor else "5.19"
    with pytest.raises(CompileError) as error:
        build(name, HEAD + text, kernel=older)
    asked = next(n for n, line in enumerate((HEAD + text).splitlines(), 1) if line.endswith("#!"))
    found = error.value.diagnostics[0]
    assert found.code == "target" and found.span.line == asked, str(error.value)
    assert f"from Linux {since} on" in found.message and f"for {older}" in found.message


@pytest.mark.parametrize(("cpu", "since"), [(1, "5.10"), (2, "5.10"), (3, "5.10"), (4, "6.6")])
def test_instruction_sets(cpu: int, since: str) -> None:
    text = HEAD + XDP + "    return 2"
    assert build("cpu", text, cpu=cpu).needs.oldest() == since
    if since != FLOOR:
        with pytest.raises(CompileError, match="cpu v4 is there from Linux 6.6 on"):
            build("cpu", text, cpu=cpu, kernel="6.5")


def test_tables_name_real_things() -> None:
    sections = {hook.name for hook in HOOKS}
    assert all(set(names_.split()) <= sections for names_ in versions.SECTIONS.values())
    from purebpf.uapi import contexts

    for fields in versions.FIELDS.values():
        for one in fields.split():
            context, _, name = one.partition(".")
            found = contexts.context(context)
            assert found is not None and name in found.fields, one
    for table in (versions.HELPERS, versions.MAP_TYPES, versions.PROG_TYPES, versions.ATTACH_TYPES, versions.FIELDS, versions.SECTIONS, versions.ITERATORS):
        assert list(table) == sorted(table, key=versions.number)
        every = " ".join(table.values()).split()
        assert len(every) == len(set(every))
    assert all(versions.prog_type(kind) for kind, name in names(ProgType).items() if name != "UNSPEC")
