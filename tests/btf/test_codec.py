"""Bytes of BTF: every kind, headers, and what malformed input gives."""

import struct
from pathlib import Path

import pytest

from purebpf.btf import Btf, Builder
from purebpf.btf import types as t
from purebpf.btf.kernel import btf_section
from purebpf.errors import BtfError

DATA = Path(__file__).parents[1] / "data"


def one_of_each() -> Btf:
    """A BTF with every kind, valid for the newest kernels."""
    b = Builder()
    u32, u8 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned char", 1))
    i32 = b.add(t.Int("int", 4, t.SIGNED))
    b.add(t.Int("_Bool", 1, t.BOOL))
    array = b.add(t.Array(u8, u32, 16))
    node = b.reserve()
    pointer = b.add(t.Ptr(node))
    b.set(node, t.Struct("node", 32, (t.Member("next", pointer, 0), t.Member("name", array, 64),
                                      t.Member("a", u32, 192, 3), t.Member("b", i32, 195, 5))))
    b.add(t.Union("either", 4, (t.Member("u", u32, 0), t.Member("i", i32, 0))))
    b.add(t.Enum("small", 4, True, (t.Enumerator("MINUS", -1), t.Enumerator("ONE", 1))))
    b.add(t.Enum64("large", 8, False, (t.Enumerator("HUGE", 1 << 63),)))
    b.add(t.Enum64("deep", 8, True, (t.Enumerator("DEEP", -(1 << 63)),)))
    b.add(t.Fwd("opaque"))
    b.add(t.Fwd("opaque_union", True))
    alias = b.add(t.Typedef("u32", u32))
    b.add(t.Ptr(b.add(t.TypeTag("user", b.add(t.Const(b.add(t.Volatile(alias))))))))
    b.add(t.Restrict(pointer))
    proto = b.add(t.FuncProto(i32, (t.Param("self", pointer), t.Param("n", u32))))
    func = b.add(t.Func("run", proto, t.GLOBAL))
    b.add(t.FuncProto(0, (t.Param("", u32), t.Param("", 0))))
    var = b.add(t.Var("counter", u32, t.GLOBAL))
    b.add(t.Datasec(".data", 4, (t.SecVar(var, 0, 4),)))
    b.add(t.Float("double", 8))
    b.add(t.DeclTag("note", func, 1))
    b.add(t.DeclTag("whole", node))
    return b.build()


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_every_kind_round_trips(byteorder: str) -> None:
    btf = one_of_each()
    data = btf.to_bytes(byteorder)
    again = Btf.from_bytes(data)
    assert again.byteorder == byteorder
    assert list(again) == list(btf) and [type(x) for x in again] == [type(x) for x in btf]
    assert again.to_bytes() == data
    assert {type(x) for x in btf} == set(t.Type.__args__)  # no kind forgotten


@pytest.mark.parametrize("name", ["types-14.o", "types-19.o", "everything-14-v2.o", "everything-19-v3.o"])
def test_clang_btf_round_trips(name: str) -> None:
    btf = Btf.from_bytes(btf_section((DATA / name).read_bytes()))
    btf.check()
    assert Btf.from_bytes(btf.to_bytes()) == btf
    assert len(btf) > 20


def test_layout_of_the_bytes() -> None:
    """Drawn in codec.py; the numbers are the format's, not ours."""
    b = Builder()
    b.add(t.Int("int", 4, t.SIGNED))
    data = b.build().to_bytes()
    assert data == struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 16, 16, 5) + struct.pack(
        "<IIII", 1, 1 << 24, 4, 1 << 24 | 32) + b"\0int\0"


def test_lookup() -> None:
    for btf in (one_of_each(), Btf.from_bytes(one_of_each().to_bytes())):
        node = btf.find("node", t.Struct)
        assert node is not None and btf[node].name == "node"  # type: ignore[union-attr]
        assert btf.find("node", t.Union) is None and btf.find("ode") is None
        assert btf.find("u32", (t.Int, t.Typedef)) == btf.find("u32")
        assert btf.find_all("small", flavours=True) == btf.find_all("small")
        assert btf.kind(node) == 4


def test_every_kind_has_a_reader_and_a_writer() -> None:
    from purebpf.btf import codec
    from purebpf.btf.kinds import KINDS

    assert set(codec._READERS) == set(codec._WRITERS) == {row.number for row in KINDS}


def test_flavours_are_found_on_request() -> None:
    b = Builder()
    ids = [b.add(t.Fwd(name)) for name in ("x", "x___old", "x___", "xx", "y", "x____a", "x_____b", "x___a___b")]
    for btf in (b.build(), Btf.from_bytes(b.build().to_bytes())):
        assert btf.find_all("x", flavours=True) == ids[:2]
        assert btf.find_all("x") == ids[:1]


def test_split_btf_continues_its_base() -> None:
    base = Btf.from_bytes(one_of_each().to_bytes())
    own = struct.pack("<III", 0, 2 << 24, 1)  # PTR to type 1 of the base
    own += struct.pack("<III", len(base._raw.strings), 8 << 24, base.last + 1)  # type: ignore[union-attr]
    names = b"mine\0"
    data = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(own), len(own), len(names)) + own + names
    split = Btf.from_bytes(data, base)
    assert split.first == base.last + 1 and len(split) == 2
    assert split[split.first] == t.Ptr(1) and split[split.last] == t.Typedef("mine", split.first)
    assert split[1] == base[1] and split.find("mine") == split.last and split.find("node") == base.find("node")


def test_names_are_shared_and_suffixes_found() -> None:
    """Other writers let one string end another."""
    data = bytearray(one_of_each().to_bytes())
    at = data.index(b"unsigned int\0")
    offset = at - data.index(b"\0unsigned int\0")
    struct.pack_into("<I", data, 24, offset + len("unsigned "))
    btf = Btf.from_bytes(bytes(data))
    assert btf[1].name == "int" and 1 in btf.find_all("int")  # type: ignore[union-attr]


HEADER = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 16, 16, 5)
INT = struct.pack("<IIII", 1, 1 << 24, 4, 32)


@pytest.mark.parametrize("data, says", [
    (b"", "too few"), (b"\x9f\xeb" + bytes(30), "version 0"), (b"AB" + HEADER[2:] + INT + b"\0int\0", "magic"),
    (HEADER + INT[:-4], "leaves the blob"), (HEADER + INT + b"\0int", "leaves the blob"),
    (HEADER + INT + b"xint\0", "start with NUL"), (HEADER + INT + b"\0intx", "end with NUL"),
    (HEADER + struct.pack("<IIII", 1, 99 << 24, 4, 32) + b"\0int\0", "kind 99"),
    (HEADER + struct.pack("<IIII", 1, 4 << 24 | 9, 4, 32) + b"\0int\0", "cut short"),
])
def test_malformed_at_open(data: bytes, says: str) -> None:
    with pytest.raises(BtfError, match=says):
        Btf.from_bytes(data)


@pytest.mark.parametrize("record, says", [
    (struct.pack("<IIII", 77, 1 << 24, 4, 32), "string offset"), (struct.pack("<IIII", 1, 1 << 24, 4, 64), "INT of 4 bytes"),
    (struct.pack("<IIII", 0, 14 << 24, 9, 0), "refers to type 9")])
def test_malformed_at_use(record: bytes, says: str) -> None:
    btf = Btf.from_bytes(HEADER + record + b"\0int\0")
    with pytest.raises(BtfError, match=says):
        btf[1]
    with pytest.raises(BtfError, match=says):
        btf.check()


@pytest.mark.parametrize("type_id", [0, -1, 10_000])
def test_ids_that_are_not_there(type_id: int) -> None:
    for btf in (one_of_each(), Btf.from_bytes(one_of_each().to_bytes())):
        with pytest.raises(BtfError, match="type"):
            btf[type_id]


@pytest.mark.parametrize("types, says", [
    ([t.Typedef("a", 2), t.Typedef("b", 1)], "does not end"),
    ([t.Struct("s", 8, (t.Member("x", 1, 0), t.Member("y", 1, 0)))], "contains itself"),
    ([t.Array(1, 1, 4)], "contains itself"),
    ([t.Func("f", 2), t.Int("int", 4)], "FUNC_PROTO"),
    ([t.Datasec(".data", 4, (t.SecVar(2, 0, 4),)), t.Int("int", 4)], "VAR")])
def test_check_finds_endless_and_wrong_types(types: list[t.Type], says: str) -> None:
    btf = Btf.from_bytes(Btf(types).to_bytes())
    with pytest.raises(BtfError, match=says):
        btf.check()


@pytest.mark.parametrize("one, says", [
    (t.Int("x", 17), "INT of 17"), (t.Enum("e", 4, False, (t.Enumerator("A", -1),)), "does not fit in 32"),
    (t.Enum64("e", 8, True, (t.Enumerator("A", 1 << 63),)), "does not fit in 64"), (t.Fwd("a\0b"), "NUL"),
    (t.Float("f", 1 << 33), "32 bits"), (t.Enum("e", 4, False, (t.Enumerator("A", 1),) * 70_000), "more than 65535"),
    (t.Struct("s", 1 << 23, (t.Member("a", 1, 1 << 24), t.Member("b", 1, 0, 3))), "bit offset")])
def test_what_cannot_be_written(one: t.Type, says: str) -> None:
    with pytest.raises(BtfError, match=says):
        Btf([one]).to_bytes()


def test_builder_shares_equal_types_of_one_class() -> None:
    b = Builder()
    assert b.add(t.Fwd("x")) == b.add(t.Fwd("x")) == 1
    assert b.add(t.Const(1)) != b.add(t.Volatile(1))  # equal as tuples, not as types
    assert b.append(t.Fwd("x")) == 4
    hole = b.reserve()
    with pytest.raises(BtfError, match="never set"):
        b.build()
    b.set(hole, t.Ptr(77))
    with pytest.raises(BtfError, match="refers to type 77"):
        b.build()


def test_builder_seeded_from_a_btf_keeps_its_ids() -> None:
    first = one_of_each()
    b = Builder(first)
    assert b.add(t.Int("unsigned int", 4)) == first.find("unsigned int")
    assert b.add(t.Fwd("new")) == first.last + 1
    assert list(b.build())[:len(first)] == list(first)
