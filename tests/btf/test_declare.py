"""C text and classes of the language; clang must lay the C text out as the BTF says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from purebpf.btf import Btf, declare, kernel, layout
from purebpf.btf import types as t
from purebpf.errors import BtfError
from tests.btf.test_codec import one_of_each

DATA = Path(__file__).parents[1] / "data"
TYPES = Btf.from_bytes(kernel.btf_section((DATA / "types-19.o").read_bytes()))


def find(name: str, *kinds: type[t.Type]) -> int:
    found = TYPES.find(name, kinds or None)
    assert found is not None
    return found


def test_spelling() -> None:
    node = {f.name: f.type for f in layout.fields(TYPES, find("node", t.Struct))}
    assert declare.spell(TYPES, node["next"], "x") == "struct node *x"
    assert declare.spell(TYPES, node["other"], "x") == "struct node *restrict x"
    assert declare.spell(TYPES, node["call"], "x") == "int (*x)(struct node *, int, ...)"
    assert declare.spell(TYPES, node["grid"], "x") == "u32 x[2][3]"
    assert declare.spell(TYPES, node["v"]) == "cvp"
    assert declare.definition(TYPES, find("cvp")) == "typedef const volatile u32 *cvp;"
    assert declare.definition(TYPES, find("either")) == "union either {\n\tint i;\n\tfloat f;\n\tstruct forward *p;\n};"
    assert declare.spell(TYPES, 0, "*p") == "void *p"
    with pytest.raises(BtfError, match="no C definition"):
        declare.definition(TYPES, find("int"))


def shape(btf: Btf, type_id: int) -> tuple[int, set[tuple[str, int, int]]]:
    return layout.size_of(btf, type_id), {
        (f.name, f.bit_offset, f.bits) for f in layout.fields(btf, type_id) if f.name and not f.name.startswith("__pad")}


def compiled(text: str, tmp_path: Path) -> Btf:
    if shutil.which("clang-19") is None:
        pytest.skip("needs clang-19")
    (tmp_path / "x.c").write_text(text)
    subprocess.run(["clang-19", "-target", "bpf", "-g", "-w", "-c", "x.c", "-o", "x.o"], cwd=tmp_path, check=True)
    return Btf.from_bytes(kernel.btf_section((tmp_path / "x.o").read_bytes()))


def test_clang_lays_it_out_the_same(tmp_path: Path) -> None:
    node = find("node", t.Struct)
    back = compiled(declare.c_header(TYPES, [node]) + "struct node keep;\n", tmp_path)
    again = back.find("node", t.Struct)
    assert again is not None and shape(back, again) == shape(TYPES, node)


@pytest.mark.kernel
def test_kernel_structs_too(tmp_path: Path) -> None:
    vmlinux = kernel.vmlinux()
    ids, seen = [], set[str]()
    for type_id, one in vmlinux.items():
        if isinstance(one, t.Struct) and one.name and one.members and type_id % 97 == 0 and one.name not in seen:
            seen.add(one.name)
            ids.append(type_id)
    keep = "".join(f"struct {vmlinux[i].name} keep{i};\n" for i in ids)  # type: ignore[union-attr]
    back = compiled(declare.c_header(vmlinux, ids) + keep, tmp_path)
    compared = 0
    for type_id, one in back.items():
        if isinstance(one, (t.Struct, t.Union)) and one.name:
            assert any(shape(vmlinux, i) == shape(back, type_id) for i in vmlinux.find_all(one.name, type(one))), one.name
            compared += 1
    assert compared > len(ids) > 50


def test_classes_of_the_language() -> None:
    node = find("node", t.Struct)
    assert declare.kernel_structs(TYPES, node, ["next.x", "a", "z", "d", "flag", "grid", "s", "user", "value"]) == """\
@kernel_struct
class node:
    next: Ptr["node"]
    x: u32
    a: u32
    z: char[4]
    d: u8[8]  # double
    flag: bool
    grid: u32[3][2]
    s: i32
    user: u64  # int *
    value: u8[8]  # union either
"""
    text = declare.kernel_structs(TYPES, node, ["value.i"])
    assert text.count("@kernel_struct") == 2 and "value: either" in text and "class either:\n    i: i32" in text


@pytest.mark.parametrize("path, says", [
    ("nxt", r"no member 'nxt' \(did you mean 'next'\?\)"), ("a.b", "has no members"), ("next.call.x", "has no members")])
def test_members_that_are_not_there(path: str, says: str) -> None:
    with pytest.raises(BtfError, match=says):
        declare.kernel_structs(TYPES, find("node", t.Struct), [path])


def test_every_kind_has_text_or_a_reason() -> None:
    btf = one_of_each()
    for type_id in range(1, btf.last + 1):
        for action in (declare.spell, declare.definition):
            try:
                assert action(btf, type_id)
            except BtfError:
                pass
