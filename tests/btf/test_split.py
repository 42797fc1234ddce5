"""Split BTF is written as libbpf writes and reads it; with a distilled base it finds its way onto another kernel's types."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from random import Random

import pytest

from purebpf.btf import Btf, Builder, layout
from purebpf.btf import types as t
from purebpf.btf.dedup import dedup
from purebpf.btf.distill import distill, relocate
from purebpf.btf.kernel import parse
from purebpf.cli import main
from purebpf.errors import BtfError
from tests.btf.test_codec import one_of_each
from tests.btf.test_tool import libbpf


def kernel(pad: int = 0, extra: tuple[t.Type, ...] = ()) -> Btf:
    """A base; with `pad` its ids are others, and so is the order."""
    b = Builder()
    for n in range(pad):
        b.append(t.Typedef(f"pad{n}", 0))
    for one in extra:
        b.append(one)
    number = b.add(t.Int("int", 4, t.SIGNED))
    inner = b.add(t.Struct("inner", 8, (t.Member("a", number, 0), t.Member("b", number, 32))))
    far = b.reserve()
    b.set(far, t.Struct("far", 8, (t.Member("self", b.add(t.Ptr(far)), 0),)))
    b.add(t.Enum("mode", 4, False, (t.Enumerator("ON", 1),)))
    b.add(t.Typedef("inner_t", inner))
    b.add(t.Union("", 4, (t.Member("x", number, 0),)))
    b.add(t.Fwd("opaque"))
    return b.build()


def module(base: Btf) -> Btf:
    """What a module has: its own types, with parts of the base and pointers to it."""
    def known(name: str, kind: type[t.Type]) -> int:
        found = base.find(name, kind)
        assert found is not None
        return found

    first = base.last + 1
    anonymous = next(i for i, one in base.items() if isinstance(one, t.Union))
    return Btf([
        t.Ptr(known("far", t.Struct)), t.Ptr(known("opaque", t.Fwd)),
        t.Struct("mine", 40, (t.Member("part", known("inner_t", t.Typedef), 0), t.Member("far", first, 64),
                              t.Member("mode", known("mode", t.Enum), 128), t.Member("u", anonymous, 160), t.Member("o", first + 1, 192),
                              t.Member("me", first + 3, 256))),
        t.Ptr(first + 2), t.Array(known("inner", t.Struct), known("int", t.Int), 3), t.Typedef("three", first + 4),
        t.FuncProto(known("int", t.Int), (t.Param("m", first + 3), t.Param("int", first))), t.Func("int", first + 6)], base)


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("written", [False, True])
def test_what_is_written_is_read_again(byteorder: str, written: bool) -> None:
    for base in (kernel(), one_of_each()):
        base = Btf.from_bytes(base.to_bytes(byteorder)) if written else base
        split = module(base) if base.find("inner") else Btf([t.Ptr(base.last), t.Typedef("node", base.last + 1), t.Typedef("new", 1)], base)
        split = Btf(split, base, byteorder)
        again = Btf.from_bytes(split.to_bytes(), Btf.from_bytes(base.to_bytes(byteorder)))
        assert again == split and again.byteorder == byteorder and again.to_bytes() == split.to_bytes()
        assert again.find("node" if base.find("node") else "mine") == split.find("node" if base.find("node") else "mine")
    assert b"\0int\0" not in b"\0" + module(kernel()).to_bytes()  # the base has that string


def test_on_split_btf_there_can_be_more() -> None:
    base = kernel()
    middle = module(base)
    top = Btf([t.Ptr(middle.last), t.Typedef("three", middle.first), t.Typedef("top", 1)], middle)
    again = Btf.from_bytes(top.to_bytes(), Btf.from_bytes(middle.to_bytes(), Btf.from_bytes(base.to_bytes())))
    assert again == top and again[again.last] == t.Typedef("top", 1) and again.find_all("three") == [middle.find("three"), again.last - 1]


def test_of_a_changed_base_the_changed_one_counts() -> None:
    base = Btf.from_bytes(kernel().to_bytes())
    changed = base.amended({base.find("mode") or 0: t.Enum("mode", 4, False, (t.Enumerator("A_LONG_NAME", 1), t.Enumerator("OFF", 2)))})
    split = module(changed)
    assert Btf.from_bytes(split.to_bytes(), Btf.from_bytes(changed.to_bytes())) == split
    assert Btf.from_bytes(split.to_bytes(), changed) == split


def test_bpftool_reads_it(tmp_path: Path) -> None:
    base = kernel()
    (tmp_path / "base").write_bytes(base.to_bytes())
    (tmp_path / "split").write_bytes(module(base).to_bytes())
    done = subprocess.run(["bpftool", "btf", "dump", "-B", str(tmp_path / "base"), "file", str(tmp_path / "split")], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"[{base.last + 3}] STRUCT 'mine' size=40 vlen=6" in lines and f"[{base.last + 6}] TYPEDEF 'three' type_id={base.last + 5}" in lines


def test_libbpf_s_own_is_written_back_byte_for_byte() -> None:
    lib = libbpf()
    for name in ("btf__new", "btf__new_empty_split", "btf__raw_data"):
        getattr(lib, name).restype = ctypes.c_void_p
    data = kernel().to_bytes()
    theirs = ctypes.c_void_p(lib.btf__new(data, len(data)))
    split = ctypes.c_void_p(lib.btf__new_empty_split(theirs))
    lib.btf__add_struct(split, b"mine", 8)
    lib.btf__add_field(split, b"a", 1, 0, 0)
    lib.btf__add_typedef(split, b"int", kernel().last + 1)
    size = ctypes.c_uint32()
    raw = ctypes.string_at(lib.btf__raw_data(split, ctypes.byref(size)), size.value)
    read = Btf.from_bytes(raw, kernel())
    assert read.to_bytes() == raw and Btf(list(read), kernel()).to_bytes() == raw


# ── distilled ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_distilled_base_holds_what_tells_types_apart() -> None:
    done = distill(module(kernel()))
    assert done.base is not None
    assert sorted(done.base, key=str) == sorted([
        t.Int("int", 4, t.SIGNED), t.Struct("inner", 8, ()), t.Fwd("far"), t.Enum("mode", 4, False, ()), t.Fwd("opaque")], key=str)
    assert [one.name for one in done if isinstance(one, (t.Struct, t.Typedef))] == ["mine", "three", "inner_t"]
    with pytest.raises(BtfError, match="only split"):
        distill(kernel())


@pytest.mark.parametrize("pad", [0, 1, 7])
def test_it_finds_its_way_onto_another_kernel(pad: int) -> None:
    old, new = kernel(), kernel(pad)
    split = module(old)
    moved = relocate(distill(split), new)
    moved.check()
    mine, there = split.find("mine"), moved.find("mine")
    assert mine is not None and there is not None and layout.same(split, mine, moved, there)
    for name in ("part", "far", "mode", "u", "o"):
        one, other = layout.field(split, mine, name), layout.field(moved, there, name)
        assert (one.offset, layout.size_of(split, one.type)) == (other.offset, layout.size_of(moved, other.type))
    pointer = moved[layout.field(moved, there, "far").type]
    assert isinstance(pointer, t.Ptr) and pointer.type == new.find("far", t.Struct)


@pytest.mark.parametrize("extra, drop, says", [
    ((), "far", "no type fwd 'far'"), ((), "mode", "no type enum 'mode' of 4 bytes"), ((), "int", "no type int 'int'"),
    ((t.Struct("inner", 8, ()),), "", "several types struct 'inner'"), ((t.Struct("inner", 12, ()), t.Enum("mode", 8, False, ())), "", "")])
def test_a_base_that_does_not_have_it_is_named(extra: tuple[t.Type, ...], drop: str, says: str) -> None:
    base = kernel(2, extra)
    base = Btf([one if getattr(one, "name", "") != drop or not drop else t.Typedef("gone", 0) for one in base])
    if not says:
        relocate(distill(module(kernel())), base).check()
        return
    with pytest.raises(BtfError, match=says):
        relocate(distill(module(kernel())), base)


def test_the_command_writes_what_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, out = tmp_path / "old.btf", tmp_path / "new.btf", tmp_path / "module.o"
    old.write_bytes(kernel().to_bytes())
    new.write_bytes(kernel(5).to_bytes())
    (tmp_path / "m.btf").write_bytes(module(kernel()).to_bytes())
    assert main(["btf", "distill", str(tmp_path / "m.btf"), "--base", str(old), "-o", str(out)]) == 0
    assert "of the base's" in capsys.readouterr().out
    assert parse(out.read_bytes()) == distill(module(kernel()))
    assert parse(out.read_bytes(), kernel(5)).base == kernel(5)
    assert main(["btf", "find", "mine", str(out), "--base", str(new)]) == 0
    assert "struct far *far;" in capsys.readouterr().out


# ── deduplicated ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_base_has_is_not_repeated() -> None:
    base = kernel()
    copy = [t.renumber(one, {0: 0} | {i: i + base.last for i in range(1, base.last + 1)}) for one in base]
    own = Btf([*copy, t.Struct("new", 8, (t.Member("p", base.last + 4, 0),))], base)
    done = dedup(own)
    assert done.btf.base is base and list(done.btf) == [t.Struct("new", 8, (t.Member("p", 4, 0),))]
    assert all(done.ids[i + base.last] == i for i in range(1, base.last + 1))


def test_split_and_whole_come_to_the_same() -> None:
    """Of random types cut in two: with the first half as base, the second has what the whole, deduplicated, has besides it."""
    for seed in range(40):
        random = Random(seed)
        types: list[t.Type] = [t.Int("int", 4)]
        for n in range(60):
            ref = random.randint(1, max(1, n))
            types.append(random.choice([t.Ptr(ref), t.Const(ref), t.Typedef(f"t{ref % 3}", ref), t.Int("int", random.choice([4, 8])),
                                        t.Struct(f"s{n % 4}", 8, (t.Member("a", ref, 0),))]))
        whole = dedup(Btf(types)).btf
        base = dedup(Btf(types[:30])).btf
        ids = dedup(Btf(types[:30])).ids
        shift = {**ids, **{i: i - 30 + base.last for i in range(31, len(types) + 1)}}
        done = dedup(Btf([t.renumber(one, shift) for one in types[30:]], base))
        assert base.last + len(done.btf) == len(whole), seed
        assert Btf.from_bytes(done.btf.to_bytes(), base) == done.btf
