"""Sizes and offsets, against what clang says of its own types."""

import re
import subprocess
from pathlib import Path

import pytest

from purebpf.btf import Btf, Builder, graft, kernel, layout
from purebpf.btf import types as t
from purebpf.errors import BtfError
from tests.btf.test_codec import one_of_each

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("name", ["types-14.o", "types-19.o"])
def test_members_are_where_clang_put_them(name: str) -> None:
    btf = Btf.from_bytes(kernel.btf_section((DATA / name).read_bytes()))
    node = btf.find("node", t.Struct)
    assert node is not None
    got = {f.name: (f.bit_offset, f.bits) for f in layout.fields(btf, node)}
    assert got["a"] == (192, 3) and got["b"] == (195, 5) and got["c"] == (200, 40)
    assert got["x"] == (240, 0) and got["y"] == got["z"] == (272, 0)  # members of anonymous members
    assert layout.size_of(btf, node) == btf[node].size == got["tail"][0] // 8  # type: ignore[union-attr]
    assert layout.align_of(btf, node) == 1  # packed
    field = layout.field(btf, node, "z")
    assert field is not None and field.path == (6, 1, 1) and layout.size_of(btf, field.type) == 4
    grid = layout.field(btf, node, "grid")
    assert grid is not None and layout.element(btf, grid.type)[1] == (2, 3) and layout.size_of(btf, grid.type) == 24
    assert layout.field(btf, node, "absent") is None


def test_alignment() -> None:
    b = Builder()
    u8, u64 = b.add(t.Int("u8", 1)), b.add(t.Int("u64", 8))
    natural = b.add(t.Struct("n", 16, (t.Member("a", u8, 0), t.Member("b", u64, 64))))
    packed = b.add(t.Struct("p", 9, (t.Member("a", u8, 0), t.Member("b", u64, 8))))
    odd = b.add(t.Struct("o", 9, (t.Member("b", u64, 0), t.Member("a", u8, 64))))
    alias = b.add(t.Typedef("alias", b.add(t.Const(natural))))
    btf = b.build()
    assert [layout.align_of(btf, i) for i in (natural, packed, odd, alias)] == [8, 1, 1, 8]
    assert layout.size_of(btf, alias) == 16 and layout.resolve(btf, alias) == natural
    assert layout.resolve(btf, alias, typedefs=False) == alias


@pytest.mark.parametrize("one", [t.Fwd("x"), t.FuncProto(0, ()), t.Typedef("v", 0)])
def test_what_has_no_size(one: t.Type) -> None:
    with pytest.raises(BtfError, match="has no size"):
        layout.size_of(Btf([one]), 1)


def test_same_compares_structure_not_ids() -> None:
    a = one_of_each()
    b = Builder()
    b.add(t.Fwd("pushes ids"))
    memo: dict[int, int] = {}
    for type_id in range(1, a.last + 1):
        graft(b, a, type_id, memo)
    other = b.build()
    for type_id in range(1, a.last + 1):
        assert layout.same(a, type_id, other, memo[type_id])
    node, either = a.find("node"), a.find("either")
    assert node is not None and either is not None and not layout.same(a, node, other, memo[either])
    renamed = Builder(other)
    changed = other[memo[node]]
    assert isinstance(changed, t.Struct)
    renamed.set(memo[node], changed._replace(members=(changed.members[0]._replace(name="prev"), *changed.members[1:])))
    assert not layout.same(a, node, renamed.build(), memo[node])


@pytest.mark.kernel
def test_vmlinux_is_read_whole() -> None:
    """Every type decodes, every chain ends, and a sample encodes to the same types again."""
    vmlinux = kernel.vmlinux()
    vmlinux.check()
    assert len(vmlinux) > 10_000
    b = Builder()
    memo: dict[int, int] = {}
    for name in ("task_struct", "sk_buff", "bpf_prog"):
        type_id = vmlinux.find(name, t.Struct)
        assert type_id is not None
        copied = graft(b, vmlinux, type_id, memo)
        assert b[copied].name == name  # type: ignore[union-attr]
    part = b.build()
    again = Btf.from_bytes(part.to_bytes())
    assert again == part
    task = again.find("task_struct", t.Struct)
    origin = vmlinux.find("task_struct", t.Struct)
    assert task is not None and origin is not None and layout.same(again, task, vmlinux, origin)


@pytest.mark.kernel
def test_a_module_is_split_btf_on_vmlinux(tmp_path: Path) -> None:
    """Where the kernel has modules with BTF; else a split file made of nothing shows the path at least."""
    vmlinux = kernel.vmlinux()
    for name in kernel.modules()[:1]:
        module = kernel.module(name, vmlinux)
        module.check()
        assert module.first == vmlinux.last + 1


def bpftool(*args: str) -> str:
    done = subprocess.run(["bpftool", *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_bpftool_words(btf: Btf, type_id: int) -> str:
    """The head line that `bpftool btf dump` prints for a type."""
    one = btf[type_id]
    name = f"'{getattr(one, 'name', '') or '(anon)'}'"
    head = f"[{type_id}]"
    match one:
        case t.Int():
            encoding = {0: "(none)", 1: "SIGNED", 2: "CHAR", 4: "BOOL"}[one.encoding]
            bits = one.size * 8 if one.bits < 0 else one.bits
            return f"{head} INT {name} size={one.size} bits_offset={one.offset} nr_bits={bits} encoding={encoding}"
        case t.Array():
            return f"{head} ARRAY {name} type_id={one.elem} index_type_id={one.index_type} nr_elems={one.nelems}"
        case t.Struct() | t.Union():
            return f"{head} {type(one).__name__.upper()} {name} size={one.size} vlen={len(one.members)}"
        case t.FuncProto():
            return f"{head} FUNC_PROTO {name} ret_type_id={one.ret} vlen={len(one.params)}"
        case t.Func():
            return f"{head} FUNC {name} type_id={one.proto} linkage={('static', 'global', 'extern')[one.linkage]}"
        case t.Datasec():
            return f"{head} DATASEC {name} size={one.size} vlen={len(one.vars)}"
        case t.Ptr() | t.Const() | t.Volatile() | t.Restrict() | t.Typedef():
            return f"{head} {type(one).__name__.upper()} {name} type_id={one.type}"
        case _:
            return ""


@pytest.mark.parametrize("path", sorted(p for p in DATA.glob("*.o") if not p.name.startswith("plain")), ids=lambda p: p.name)
def test_bpftool_reads_the_same(path: Path) -> None:
    btf = Btf.from_bytes(kernel.btf_section(path.read_bytes()))
    lines = {m[1]: line for line in bpftool("btf", "dump", "file", str(path)).splitlines()
             if (m := re.match(r"\[(\d+)\]", line))}
    assert len(lines) == len(btf)
    for type_id in range(1, btf.last + 1):
        ours = in_bpftool_words(btf, type_id)
        assert not ours or lines[str(type_id)] == ours


@pytest.mark.kernel
def test_bpftool_reads_vmlinux_the_same() -> None:
    vmlinux = kernel.vmlinux()
    text = bpftool("btf", "dump", "file", "/sys/kernel/btf/vmlinux")
    compared = 0
    for line in text.splitlines():
        if line.startswith("["):
            number = int(line[1:line.index("]")])
            ours = in_bpftool_words(vmlinux, number) if number % 7 == 0 else ""
            if ours:
                compared += 1
                assert line == ours
    assert compared > 5_000
