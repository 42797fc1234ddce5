"""Static linking: what the linked object does is what its parts say together; libbpf's linker is asked the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import purebpf as bpf
from purebpf import elf
from purebpf.btf import types as t
from purebpf.errors import FormatError
from purebpf.linker import link
from purebpf.loader import load
from purebpf.spec import ObjectSpec
from purebpf.vm import Machine
from tests.elf.clang import compile

MAIN = """
extern int shared;
extern const volatile int limit SEC(".rodata");
int add(int a, int b);
int choose(void);
extern struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
struct common { int a; struct common *next; struct later *later; };
struct common mine = { 5 };
static __noinline int helper(int x) { return x * 2 + mine.a; }
static int state = 3;
SEC("xdp") int begin(struct xdp_md *ctx) {
    __u32 key = 1; __u64 *n = bpf_map_lookup_elem(&counts, &key);
    if (n) *n += 100;
    shared += 1; state += 1;
    return add(helper(ctx->rx_queue_index), shared) + limit + choose() + state;
}
SEC("xdp") int only_main(struct xdp_md *ctx) { return limit; }
__weak int choose(void) { return 1; }
"""
OTHER = """
struct later { long x; };
struct common { int a; struct common *next; struct later *later; };
struct common yours = { 7 };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
int shared = 10;
const volatile int limit = 1000;
static int state = 30;
static __noinline int helper(int x) { return x * 3 + yours.a; }
__hidden __noinline int add(int a, int b) { state += 1; return a + b + helper(a) + state; }
__noinline int choose(void) { return 10000; }
SEC("tc") int second(struct __sk_buff *skb) { shared += 5; return shared; }
"""
RESULT = (5 + 11) + (5 * 3 + 7) + 31 + 1000 + 10000 + 4  # of `begin`


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("link")
    return [compile(folder, "main", MAIN), compile(folder, "other", OTHER)]


def linked(paths: list[str]) -> ObjectSpec:
    return link([elf.read(p) for p in paths], paths)


@pytest.mark.parametrize("turned", [False, True])
def test_symbols_meet(parts: list[str], turned: bool) -> None:
    spec = linked(parts[::-1] if turned else parts)
    spec.check()
    machine = Machine(spec)
    assert machine.run("begin", bytes(64)).retval == RESULT
    assert machine["counts"][1] == 100 and machine.run("second", bytes(64)).retval == 16  # type: ignore[union-attr]
    assert set(spec.functions) == {"helper", "helper.1", "add", "choose"} and spec.functions["add"].hidden


def test_types_are_there_once(parts: list[str]) -> None:
    spec = linked(parts)
    assert spec.btf is not None
    spec.btf.check()
    names = [getattr(one, "name", "") for one in spec.btf]
    assert names.count("common") == 1 and names.count("later") == 1  # the forward declaration met its struct
    assert not [one for one in spec.btf if isinstance(one, (t.Func, t.Var)) and one.linkage == t.EXTERN]


@pytest.mark.kernel
@pytest.mark.parametrize("written", [False, True])
def test_the_kernel_runs_it(parts: list[str], written: bool) -> None:
    spec = elf.read(elf.write(linked(parts))) if written else linked(parts)
    with load(spec) as k:
        assert k["begin"].test_run(bytes(64)).retval == RESULT
        assert k["counts"][1] == 100 and k["shared"].value == 11
        assert k["second"].test_run(bytes(64)).retval == 16


@pytest.mark.kernel
def test_libbpf_links_the_same_and_takes_ours(parts: list[str], tmp_path: Path) -> None:
    if shutil.which("bpftool") is None:
        pytest.skip("needs bpftool")
    theirs, ours, again = tmp_path / "theirs.o", tmp_path / "ours.o", tmp_path / "again.o"
    subprocess.run(["bpftool", "gen", "object", str(theirs), *parts], check=True)
    elf.save(linked(parts), str(ours))
    subprocess.run(["bpftool", "gen", "object", str(again), str(ours)], check=True)
    script = "mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall {} /sys/fs/bpf/p"
    for path in (theirs, ours, again):
        subprocess.run(["unshare", "-m", "sh", "-ec", script.format(path)], check=True)
        with load(elf.read(str(path))) as k:
            assert k["begin"].test_run(bytes(64)).retval == RESULT
    mine, other = elf.read(str(ours)), elf.read(str(theirs))
    assert mine.programs.keys() == other.programs.keys() and mine.maps.keys() == other.maps.keys()
    assert {n: len(d.data) for n, d in mine.data.items()}.keys() == {n: len(d.data) for n, d in other.data.items()}.keys()
    assert mine.btf is not None and other.btf is not None and len(mine.btf) <= len(other.btf)


def test_python_meets_c(tmp_path: Path) -> None:
    @bpf.xdp
    def from_python(ctx: Any) -> int:
        return 2

    spec = link([bpf.build(from_python), elf.read(compile(tmp_path, "c", MAIN)), elf.read(compile(tmp_path, "d", OTHER))])
    assert Machine(spec).run("from_python", bytes(64)).retval == 2
    assert Machine(spec).run("begin", bytes(64)).retval == RESULT
    assert elf.read(elf.write(spec)).programs.keys() == spec.programs.keys()


MISTAKES = {
    "defined twice": ("int x = 1; SEC(\"xdp\") int f(void *c) { return x; }", "int x = 2; SEC(\"tc\") int g(void *c) { return x; }"),
    "another type": ("long add(long a); SEC(\"xdp\") int f(void *c) { return add(1); }",
                     "__noinline long add(long a, long b) { return a + b; }"),
    "is a": ("int thing = 1; SEC(\"xdp\") int f(void *c) { return thing; }", "__noinline int thing(void) { return 1; }"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_name_both_files(what: str, tmp_path: Path) -> None:
    paths = [compile(tmp_path, name, source) for name, source in zip("ab", MISTAKES[what])]
    with pytest.raises(FormatError, match=what) as info:
        linked(paths)
    assert all(path in str(info.value) for path in paths)


def test_what_nobody_defines_stays_open_and_is_named(parts: list[str]) -> None:
    spec = linked(parts[:1])
    with pytest.raises(FormatError, match="which another object defines"):
        spec.check()
    again = elf.read(elf.write(spec))  # a partial link is an object, too
    assert Machine(link([again, elf.read(parts[1])])).run("begin", bytes(64)).retval == RESULT


def test_licences_and_byte_orders_must_agree(parts: list[str]) -> None:
    one, two = (elf.read(p) for p in parts)
    with pytest.raises(FormatError, match="licences"):
        link([one, two._replace(license="BSD")])
    with pytest.raises(FormatError, match="endian"):
        link([one, two._replace(byteorder="big")])
