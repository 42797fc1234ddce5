""".BTF.ext: both directions, against clang's, and broken."""

import struct
from pathlib import Path

import pytest

from purebpf.btf import Btf, ext
from purebpf.btf.codec import Strings, encode
from purebpf.btf.kernel import btf_section
from purebpf.errors import BtfError

DATA = Path(__file__).parents[1] / "data"

EXAMPLE = ext.Ext(
    {"xdp": (ext.FuncInfo(0, 3), ext.FuncInfo(16, 4))},
    {"xdp": (ext.LineInfo(0, "a.py", "x = 1", 7, 5), ext.LineInfo(8, "a.py", "y = 2", 8, 1023)),
     ".text": (ext.LineInfo(0, "b.py", "", 1, 1),)},
    {"xdp": (ext.CoreRelo(8, 5, "0:1", 2),)})


def written(records: ext.Ext, byteorder: str = "little") -> tuple[bytes, Btf]:
    strings = Strings()
    data = ext.encode(records, strings, byteorder)
    from purebpf.btf import types as t

    return data, Btf.from_bytes(encode([t.Int("int", 4)], byteorder, strings))


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("records", [EXAMPLE, ext.Ext(), EXAMPLE._replace(relos={}), EXAMPLE._replace(funcs={}, lines={})])
def test_round_trip(records: ext.Ext, byteorder: str) -> None:
    assert ext.read(*written(records, byteorder)) == records


def section(path: Path, name: bytes) -> bytes:
    from purebpf.elf.reader import parse

    found = parse(path.read_bytes()).named(name.decode())
    assert found is not None
    return found.data


@pytest.mark.parametrize("name", ["everything-14-v2.o", "everything-19-v4.o"])
def test_clang_records(name: str) -> None:
    data = (DATA / name).read_bytes()
    got = ext.read(section(DATA / name, b".BTF.ext"), Btf.from_bytes(btf_section(data)))
    assert set(got.funcs) == {".text", "xdp", "raw_tp/sys_enter"} and len(got.funcs["xdp"]) == 2
    assert {r.kind for r in got.relos["raw_tp/sys_enter"]} == {0, 2, 7, 9, 11}
    lines = got.lines["xdp"]
    assert lines[0].file.endswith("everything.c") and [r.insn for r in lines] == sorted(r.insn for r in lines)
    assert any("bpf_tail_call" in r.text and r.line > 50 and r.col > 0 for r in lines)


def test_columns_and_lines_beyond_the_fields_are_cut() -> None:
    line = ext.LineInfo(0, "a", "b", 1 << 30, 5000)
    got = ext.read(*written(ext.Ext({}, {"x": (line,)}, {}))).lines["x"][0]
    assert (got.line, got.col) == (0x3FFFFF, 0x3FF)


GOOD, BTF = written(EXAMPLE)


def changed(at: int, value: int) -> bytes:
    data = bytearray(GOOD)
    struct.pack_into("<I", data, at, value)
    return bytes(data)


@pytest.mark.parametrize("data, says", [
    (b"", "too few"), (b"\x9f\xec" + GOOD[2:], "magic"), (GOOD[:2] + b"\2" + GOOD[3:], "version"), (changed(4, 8), "header length"),
    (changed(12, 4000), "leaves the section"), (changed(8, 2), "not aligned"), (changed(32, 4), "record size"),
    (changed(40, 9), "cut short"), (changed(40, 0), "empty or listed twice"), (changed(36, 7000), "string offset"),
    (changed(12, 4), "no records"), (changed(12, 8), "cut short")])
def test_malformed(data: bytes, says: str) -> None:
    with pytest.raises(BtfError, match=says):
        ext.read(data, BTF)


def test_larger_records_are_read_by_their_beginning() -> None:
    """Records may grow in later kernels."""
    name = struct.unpack_from("<I", GOOD, 36)[0]
    part = struct.pack("<III", 12, name, 1) + struct.pack("<III", 24, 7, 99)
    data = struct.pack("<HBBI6I", 0xEB9F, 1, 0, 32, 0, len(part), 0, 0, 0, 0) + part
    assert ext.read(data, BTF).funcs == {"xdp": (ext.FuncInfo(24, 7),)}
