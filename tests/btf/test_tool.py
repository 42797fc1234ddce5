"""`purebpf btf`: what compilers and bpftool say of what it writes."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from purebpf import elf
from purebpf.btf import Btf, Builder, kernel, layout
from purebpf.btf import types as t
from purebpf.btf.dedup import dedup, merge
from purebpf.btf.minimal import Need, answers, minimal
from purebpf.cli import main
from purebpf.isa.insn import CoreRef
from tests.elf import corpus
from tests.elf.clang import compile
from tests.isa import objects

VMLINUX = Path("/sys/kernel/btf/vmlinux")
needs_kernel = pytest.mark.skipif(not VMLINUX.exists(), reason="this kernel has no BTF")
CORE = """
struct task_struct { int pid, no_such_field; struct task_struct *real_parent; char comm[16]; } __attribute__((preserve_access_index));
struct sock_common { unsigned short skc_family; }; struct sock { struct sock_common __sk_common; } __attribute__((preserve_access_index));
enum bpf_map_type___x { BPF_MAP_TYPE_ARRAY___x = 2 };
int out;
SEC("raw_tp/sys_enter") int f(void *ctx) {
    struct task_struct *t = (void *)bpf_get_current_task(); struct sock *s = 0; int v = 0; short w = 0;
    if (__builtin_preserve_field_info(t->no_such_field, 2)) bpf_probe_read_kernel(&v, 4, &t->no_such_field);
    bpf_probe_read_kernel(&v, 4, &t->real_parent->pid); bpf_probe_read_kernel(&w, 2, &s->__sk_common.skc_family);
    bpf_probe_read_kernel(&w, 1, &t->comm[3]);
    out = v + w + __builtin_preserve_enum_value(*(typeof(enum bpf_map_type___x) *)BPF_MAP_TYPE_ARRAY___x, 1);
    return __builtin_preserve_type_info(*(struct task_struct *)0, 1);
}
"""


def needs(path: str) -> list[Need]:
    spec = elf.read(path)
    assert spec.btf is not None
    return [Need(spec.btf, *i.ref) for p in spec.programs.values() for i in p.func.insns if isinstance(i.ref, CoreRef)]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compile(tmp_path_factory.mktemp("core"), "core", CORE)


@needs_kernel
def test_the_c_of_a_whole_kernel_compiles_to_its_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["btf", "c"]) == 0
    text = capsys.readouterr().out
    btf = kernel.vmlinux()
    tagged = Counter(one.name for one in btf if isinstance(one, (t.Struct, t.Union, t.Enum, t.Enum64)))
    checks, seen = [], set[str]()
    for one in btf:
        if isinstance(one, (t.Struct, t.Union)) and tagged[one.name] == 1 and one.name:
            seen.add(one.name)
            word = "struct" if isinstance(one, t.Struct) else "union"
            checks.append(f"_Static_assert(sizeof({word} {one.name}) == {one.size}, \"{one.name}\");")
            checks += [f"_Static_assert(__builtin_offsetof({word} {one.name}, {m.name}) == {m.bit_offset // 8}, \"{one.name}.{m.name}\");"
                       for m in one.members[-3:] if m.name and not m.bits]
    assert len(seen) > 1000
    (tmp_path / "all.c").write_text(text + "\n".join(checks), encoding="utf-8")
    for compiler in (["clang-19", "-target", "bpf", "-Wno-everything"], ["gcc", "-w"]):
        if shutil.which(compiler[0]) is not None:
            done = subprocess.run([*compiler, "-fsyntax-only", str(tmp_path / "all.c")], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[:2000]


@needs_kernel
def test_minimal_types_answer_as_the_kernel_does(core: str, tmp_path: Path) -> None:
    whole = kernel.vmlinux()
    asked = needs(core)
    small = minimal(whole, asked)
    again = Btf.from_bytes(small.to_bytes())
    again.check()
    assert len(again) < 60
    assert [a.value for a in answers(again, asked)] == [a.value for a in answers(whole, asked)]
    assert {a.need.what for a in answers(again, asked) if a.value is None} == {"field task_struct.no_such_field"}
    if shutil.which("bpftool") is not None:
        theirs = tmp_path / "theirs.btf"
        subprocess.run(["bpftool", "gen", "min_core_btf", str(VMLINUX), str(theirs), core], check=True)
        other = Btf.from_bytes(theirs.read_bytes())
        assert {(type(x), getattr(x, "name", "")) for x in again} == {(type(x), getattr(x, "name", "")) for x in other}
        for name in ("task_struct", "sock", "sock_common"):
            mine, its = (b[b.find(name, t.Struct) or 0] for b in (again, other))
            assert isinstance(mine, t.Struct) and isinstance(its, t.Struct)
            assert [m.name for m in mine.members] == [m.name for m in its.members] and mine.size == its.size


@needs_kernel
def test_check_says_what_an_object_will_miss(core: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["btf", "check", core]) == 0
    assert "field task_struct.no_such_field (the program tests for it)" in capsys.readouterr().out
    b = Builder()
    b.add(t.Struct("task_struct", 8, (t.Member("pid", b.add(t.Int("int", 4, 1)), 0),)))
    old = tmp_path / "old.btf"
    old.write_bytes(b.build().to_bytes())
    assert main(["btf", "check", core, "--kernel-btf", str(old)]) == 1
    assert "field sock.__sk_common\n" in capsys.readouterr().out


def libbpf() -> ctypes.CDLL:
    name = ctypes.util.find_library("bpf")
    if name is None:
        pytest.skip("needs libbpf")
    lib = ctypes.CDLL(name)
    pointer = ctypes.c_void_p
    for function, result, arguments in (
            ("btf__new", pointer, (ctypes.c_char_p, ctypes.c_uint)), ("btf__new_empty", pointer, ()), ("btf__free", None, (pointer,)),
            ("btf__add_btf", ctypes.c_int, (pointer, pointer)), ("btf__dedup", ctypes.c_int, (pointer, pointer)),
            ("btf__type_cnt", ctypes.c_uint, (pointer,))):
        one = getattr(lib, function)  # kept by the library's object, with its types
        one.restype, one.argtypes = result, arguments
    return lib


def test_merged_objects_have_as_few_types_as_libbpf_s(request: pytest.FixtureRequest) -> None:
    cache = request.config.cache
    if shutil.which("clang-19") is None or cache is None:
        pytest.skip("needs clang-19")
    paths = [p for k, p in (corpus.build(cache.mkdir("corpus")) | objects.build(cache.mkdir("objects"))).items() if "bpfeb" not in k]
    many = [one for one in (elf.read(str(p)).btf for p in paths) if one is not None]
    assert len(many) >= 200
    whole, memos = merge(many)
    done = dedup(whole)
    done.btf.check()
    lib = libbpf()
    theirs = lib.btf__new_empty()
    for one in many:
        data = one.to_bytes()
        part = lib.btf__new(data, len(data))
        lib.btf__add_btf(theirs, part)
        lib.btf__free(part)
    assert lib.btf__type_cnt(theirs) - 1 == len(whole) and lib.btf__dedup(theirs, None) == 0
    count = lib.btf__type_cnt(theirs) - 1
    lib.btf__free(theirs)
    assert len(done.btf) <= count * 1.02
    for one, memo in zip(many, memos):  # nothing became something else
        for number, kind in one.items():
            if not isinstance(kind, (t.Fwd, t.Datasec)):
                new = done.ids[memo[number]]
                assert type(done.btf[new]) is type(kind) and getattr(done.btf[new], "name", "") == getattr(kind, "name", "")


def test_what_differs_is_kept_apart() -> None:
    types = (t.Int("int", 4, 1), t.Struct("a", 8, (t.Member("x", 1, 0), t.Member("next", 3, 0))), t.Ptr(2),
             t.Struct("a", 8, (t.Member("x", 1, 0), t.Member("next", 5, 0))), t.Ptr(4), t.Struct("b", 4, (t.Member("x", 1, 0),)),
             t.Fwd("b"), t.Ptr(7), t.Ptr(6), t.Var("v", 1), t.Var("v", 1), t.Struct("c", 4, ()), t.Struct("c", 8, ()), t.Fwd("c"),
             t.Enum("e", 4, False, ()), t.Enum("e", 4, False, (t.Enumerator("ONE", 1),)))
    done = dedup(Btf(types))
    ids = done.ids
    assert ids[2] == ids[4] and ids[3] == ids[5], "structs that refer to themselves"
    assert ids[6] == ids[7] and ids[8] == ids[9], "a declaration is its only definition"
    assert ids[10] != ids[11], "variables are memory of their own"
    assert len({ids[12], ids[13], ids[14]}) == 3, "a declaration of two different structs is neither"
    assert ids[15] == ids[16]
    assert len(dedup(done.btf).btf) == len(done.btf)


def test_a_dropped_type_that_is_needed_is_an_error() -> None:
    from purebpf.errors import BtfError

    with pytest.raises(BtfError, match="dropped"):
        dedup(Btf((t.Int("int", 4, 1), t.Ptr(1))), lambda number: number != 1)


def test_listings_and_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Btf((t.Int("int", 4, 1), t.Struct("a", 8, (t.Member("x", 1, 0), t.Member("gone", 1, 32))), t.Enum("e", 4, False, (
        t.Enumerator("ONE", 1),)), t.Typedef("num", 1), t.FuncProto(1, (t.Param("p", 1),)), t.Func("f", 5)))
    two = Btf((t.Int("int", 4, 1), t.Struct("a", 12, (t.Member("new", 1, 0), t.Member("x", 1, 32))), t.Struct("b", 4, ())))
    paths = [tmp_path / "one.btf", tmp_path / "two.btf"]
    for path, btf in zip(paths, (one, two)):
        path.write_bytes(btf.to_bytes())
    assert main(["btf", "dump", str(paths[0])]) == 0
    assert "[2] struct a size=8\n\tx type=1 bit_offset=0 bits=0\n" in capsys.readouterr().out
    assert main(["btf", "json", str(paths[0])]) == 0
    rows = json.loads(capsys.readouterr().out)["types"]
    assert rows[1]["members"][1] == {"name": "gone", "type": 1, "bit_offset": 32, "bits": 0} and rows[5]["kind"] == "func"
    assert main(["btf", "find", "a", str(paths[0])]) == 0 and "struct a {" in capsys.readouterr().out
    assert main(["btf", "find", "nim", str(paths[0])]) == 1 and "did you mean 'num'" in capsys.readouterr().err
    assert main(["btf", "diff", *map(str, paths)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "~ struct a.size: 8 -> 12", "~ struct a.x: int at bit 0 -> int at bit 32", "- struct a.gone", "+ struct a.new", "- enum e", "+ struct b"]
    assert main(["btf", "diff", str(paths[0]), str(paths[0])]) == 0
    assert main(["btf", "merge", *map(str, paths), "-o", str(tmp_path / "m.btf")]) == 0
    assert len(Btf.from_bytes((tmp_path / "m.btf").read_bytes())) == 8
    assert main(["btf", "dedup", str(tmp_path / "m.btf"), "-o", str(tmp_path / "n.btf")]) == 0


def test_kernels_differ_for_an_object_in_what_it_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = compile(tmp_path, "asks", """
struct there { int x; long y, z; } __attribute__((preserve_access_index));
struct old { int a; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *ctx) { struct there *t = ctx; struct old *o = ctx;
  return __builtin_preserve_field_info(t->x, 0) + __builtin_preserve_field_info(t->y, 0) + __builtin_preserve_field_info(t->z, 0)
    + __builtin_preserve_field_info(o->a, 0); }""")

    def kernel(*members: str, old: bool) -> str:
        number, long = t.Int("int", 4, 1), t.Int("long", 8, 1)
        held = tuple(t.Member(name, 1 if name == "x" else 2, 64 * at) for at, name in enumerate(members))
        types = (number, long, t.Struct("there", 32, held), *([t.Struct("old", 4, (t.Member("a", 1, 0),))] if old else []))
        file = tmp_path / f"{'_'.join(members)}.btf"
        file.write_bytes(Btf(types).to_bytes())
        return str(file)

    one, two = kernel("x", "y", old=True), kernel("x", "more", "y", "z", old=False)
    assert main(["btf", "diff", one, two, "--object", path]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "~ byte_off field there.y: 8 -> 16", "+ byte_off field there.z", "- byte_off field old.a"]
    assert main(["btf", "diff", one, one, "--object", path]) == 0 and not capsys.readouterr().out


def test_names_that_meet_get_numbers(tmp_path: Path) -> None:
    from purebpf.btf.ctext import c_header

    types = (t.Int("int", 4, 1), t.Struct("a", 4, (t.Member("x", 1, 0),)), t.Struct("a", 8, (t.Member("p", 4, 0),)), t.Ptr(2),
             t.Enum("e", 4, False, (t.Enumerator("ONE", 1),)), t.Enum("f", 4, False, (t.Enumerator("ONE", 2),)),
             t.Typedef("a", 3), t.Typedef("a", 1))
    text = c_header(Btf(types), range(1, 9))
    (tmp_path / "x.c").write_text(text + "_Static_assert(sizeof(struct a___2) == 8 && sizeof(a___2) == 4 && ONE___2 == 2, \"\");\n", encoding="utf-8")
    subprocess.run(["gcc", "-fsyntax-only", str(tmp_path / "x.c")], check=True)


def test_a_type_is_found_only_under_its_whole_name() -> None:
    """Strings may end others; a name may then begin inside of one."""
    from purebpf.btf.codec import Strings, encode

    strings = Strings()
    at = strings.add("prefix_name") + len("prefix_")
    strings.at["name"] = at  # the end of the other
    merged = Btf.from_bytes(encode((t.Fwd("prefix_name"), t.Fwd("name"), t.Fwd("other")), strings=strings))
    plain = Btf.from_bytes(encode((t.Fwd("prefix_name"), t.Fwd("name"), t.Fwd("other"))))
    for btf in (merged, plain):
        assert btf.find_all("name") == [2] and btf.find_all("prefix_name") == [1] and btf.find_all("ame") == []


def test_only_structs_at_the_end_are_flexible_and_signs_must_agree() -> None:
    """A longer index is fine behind the last member of one element, not inside; a load is resized between unsigned integers."""
    from purebpf.btf import core as co

    def side(elements: int, last: bool, number: t.Int) -> Btf:
        members = [t.Member("a", 3, 0), t.Member("n", 2, 64)]
        return Btf((t.Int("char", 1), number, t.Array(1, 1, elements), t.Struct("s", 24, tuple(members if not last else members[::-1]))))

    local = side(8, True, t.Int("u", 4))
    for elements, last, found in ((1, True, True), (0, True, True), (2, True, False), (1, False, False), (8, False, True)):
        answer = co.Relocator(local, (side(elements, last, t.Int("u", 4)),)).relocate(4, "0:1:5", co.FIELD_BYTE_OFFSET)
        assert answer.poison is not found, (elements, last)
    for mine, theirs, fine in ((0, 0, True), (0, 1, False), (1, 0, False), (1, 1, False)):
        answer = co.Relocator(side(1, True, t.Int("u", 4, mine)), (side(1, True, t.Int("u", 8, theirs)),)).relocate(
            4, "0:0", co.FIELD_BYTE_OFFSET)
        assert answer.resize is fine


def test_layout_of_nothing_is_an_error() -> None:
    from purebpf.errors import BtfError

    with pytest.raises(BtfError):
        layout.size_of(Btf((t.Fwd("x"),)), 1)
