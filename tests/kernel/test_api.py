"""`bpf.load` as users call it: declarations as keys, everything closed again, mistakes without leftovers."""

from __future__ import annotations

import os

import pytest

import purebpf as bpf
from purebpf import Array, Const, Global, HashMap, PerCpuArray, helpers, u32, u64


@bpf.struct
class Pair:
    a: u32
    b: u64


counts = HashMap[u32, u64](max_entries=16)
pairs = Array[Pair](max_entries=4)
per_cpu = PerCpuArray[u64](max_entries=1)
limit = Const[u32](10)
hits = Global[u64](5)


@bpf.xdp
def program(ctx):  # type: ignore[no-untyped-def]
    hits.value += 1
    counts[limit] += 2
    per_cpu[0] += 1
    pairs[1] = Pair(a=limit, b=hits.value)
    return 2


@bpf.xdp
def refused(ctx):  # type: ignore[no-untyped-def]
    helpers.ringbuf_query(counts, 0)  # which is no ring buffer
    return 2


@bpf.uprobe("/there/is/no/such/file:function")
def nowhere(ctx):  # type: ignore[no-untyped-def]
    counts[1] += 1


pytestmark = pytest.mark.kernel


def test_declarations_are_keys() -> None:
    with bpf.load(program, constants={limit: 3}) as k:
        assert k[program].test_run(bytes(14)).retval == 2
        assert k[hits].value == 6 and k[limit].value == 3
        assert dict(k[counts].items()) == {3: 2}
        assert k[per_cpu][0].sum() == 1
        assert (k[pairs][1].a, k[pairs][1].b) == (3, 6)
        k[hits].value = 100
        k[program].test_run(bytes(14))
        assert k["hits"].value == 101 and program in k and counts in k
        with pytest.raises(KeyError):
            k["nothing"]


def test_two_loads_do_not_see_each_other() -> None:
    with bpf.load(program) as one, bpf.load(program) as two:
        one[program].test_run(bytes(14))
        assert (one[hits].value, two[hits].value) == (6, 5)


def open_fds() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_refused_program_names_its_line_and_leaves_nothing() -> None:
    before = open_fds()
    with pytest.raises(bpf.VerifierError) as caught:
        bpf.load(refused)
    assert caught.value.span is not None and caught.value.span.file == __file__
    assert caught.value.log and open_fds() == before


def test_a_hook_that_is_not_there_leaves_nothing() -> None:
    before = open_fds()
    with pytest.raises(bpf.KernelError):
        bpf.load(program, nowhere)
    assert open_fds() == before


def test_a_compile_error_reaches_python() -> None:
    with pytest.raises(bpf.CompileError) as caught:
        bpf.build(bpf.xdp(wrong))
    assert [d.code for d in caught.value.diagnostics] == ["undefined-name"]


def wrong(ctx):  # type: ignore[no-untyped-def]
    return nothing_of_that_name  # type: ignore[name-defined]  # noqa: F821


def test_what_only_means_something_in_a_program() -> None:
    for use in (lambda: counts[1], lambda: counts.lookup(1), lambda: program(None), bpf.current_pid, lambda: 1 in counts):
        with pytest.raises(bpf.NotInKernel):
            use()  # type: ignore[operator]


class Counter:
    def __init__(self, step: int) -> None:
        self.step = step
        self.total = Global[u64](0)
        self.seen = HashMap[u32, u64](max_entries=4)

    @bpf.xdp
    def count(self, ctx):  # type: ignore[no-untyped-def]
        self.total += self.step
        self.seen[self.step] += 1
        return bpf.XDP_PASS


def test_objects_of_a_class_bring_their_own_programs_and_maps() -> None:
    one, ten = Counter(1), Counter(10)
    with bpf.load(one, ten) as k:
        assert list(k.programs) == ["count", "count_2"]
        for _ in range(3):
            k[ten.count].test_run(bytes(64))
        k[one.count].test_run(bytes(64))
        assert (k[one.total].value, k[ten.total].value) == (1, 30)
        assert k[ten.seen].to_dict() == {10: 3} and one.count in k and one.count == one.count != ten.count
    with pytest.raises(TypeError, match="belong to its instances"):
        bpf.load(Counter)
    with pytest.raises(TypeError, match="neither a BPF program"):
        bpf.load(object())
