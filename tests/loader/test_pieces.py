"""Parts of the loader that need no kernel: BTF for older kernels, relocated instructions, formats, symbols, fds."""

from __future__ import annotations

import errno
import os
import struct
import sys

import pytest

from purebpf.btf import Btf, Builder, codec, core
from purebpf.btf import types as t
from purebpf.btf.values import codec as value_codec
from purebpf.errors import AttachError, ElfError, FormatError, KernelError, NotSupported
from purebpf.isa import Insn
from purebpf.btf import percpu
from purebpf.loader import fixups, kbtf, refusals, symbols, tracefs
from purebpf.loader import sys as live
from purebpf.loader.bpf import object_name
from purebpf.loader.create import finished, section_name
from purebpf.loader.fd import Fd, close_all
from purebpf.spec import DataSpec, FuncSpec, Line, Linked, MapSpec, VarSpec


def every_kind() -> list[t.Type]:
    return [t.Int("int", 4, t.SIGNED), t.Ptr(1), t.FuncProto(1, (t.Param("a", 1), t.Param("b", 2))),
            t.Func("f", 3, t.GLOBAL), t.Var("v", 1), t.Datasec(".data.x", 4, (t.SecVar(5, 0, 4),)), t.Float("float", 4),
            t.DeclTag("tag", 5), t.TypeTag("user", 1), t.Enum("e", 4, True, (t.Enumerator("A", -1),)),
            t.Enum64("big", 8, False, (t.Enumerator("B", 1 << 40),))]


def test_each_rewrite_removes_its_kind_and_keeps_ids() -> None:
    types = every_kind()
    gone = {"enum64": t.Enum64, "type_tag": t.TypeTag, "decl_tag": t.DeclTag, "float": t.Float, "var": (t.Var, t.Datasec),
            "func": (t.Func, t.FuncProto)}
    for name, _, rewrite in kbtf.REWRITES:
        before = len(types)
        types = [rewrite(one) for one in types]
        assert len(types) == before
        if name in gone:
            assert not any(isinstance(one, gone[name]) for one in types), name
        codec.encode(types)
    assert not any(isinstance(one, t.Enum) and one.signed for one in types)


def test_tidy_finishes_what_clang_leaves() -> None:
    b = Builder()
    integer = b.add(t.Int("int", 4, t.SIGNED))
    one, two = b.append(t.Var("one", integer)), b.append(t.Var("two", integer))
    b.append(t.Datasec(".data", 0, (t.SecVar(two, 0, 4), t.SecVar(one, 0, 4))))
    extern = b.append(t.Func("kfunc", b.add(t.FuncProto(0, (t.Param("", integer),))), t.EXTERN))
    b.append(t.Datasec(".ksyms", 0, (t.SecVar(extern, 0, 0),)))
    b.append(t.DeclTag("tag", extern))
    data = DataSpec(".data", bytes(8), (VarSpec("two", 4, 4), VarSpec("one", 0, 4)))
    got = kbtf.tidy(b.build(), {".data": data})
    assert got[3] == t.Datasec(".data", 8, (t.SecVar(one, 0, 4), t.SecVar(two, 4, 4)))
    assert not any(isinstance(one, t.Func | t.DeclTag) for one in got)
    assert Btf.from_bytes(codec.encode(got)).last == len(got)


LOAD, STORE, ADD, WIDE = 0x61, 0x63, 0x07, 0x18  # u32 load, u32 store, r += imm, ld_imm64


@pytest.mark.parametrize(("insn", "found", "want"), [
    (Insn(ADD, 1), core.Relocation(24), Insn(ADD, 1, imm=24)),
    (Insn(ADD, 1, imm=8), core.Relocation(24, 8), Insn(ADD, 1, imm=24)),
    (Insn(LOAD, 1, 2), core.Relocation(40, 8, size=4, old_size=4), Insn(LOAD, 1, 2, 40)),
    (Insn(LOAD, 1, 2), core.Relocation(40, 8, size=8, old_size=4), Insn(0x79, 1, 2, 40)),
    (Insn(STORE, 1, 2), core.Relocation(40, 8, size=2, old_size=4), Insn(0x6B, 1, 2, 40)),
    (Insn(WIDE, 1), core.Relocation(1 << 40), Insn(WIDE, 1, imm=1 << 40)),
])
def test_patches(insn: Insn, found: core.Relocation, want: Insn) -> None:
    assert fixups.patch(insn, found) == (want,)


def test_poison_has_the_length_of_what_it_replaces() -> None:
    poison = Insn(0x85, imm=fixups.POISON)
    gone = core.Relocation(0, poison=True)
    assert fixups.patch(Insn(ADD, 1), gone) == (poison,) and fixups.patch(Insn(WIDE, 1), gone) == (poison, poison)
    signed = core.Relocation(8, 8, size=8, old_size=4, resize=False)
    assert fixups.patch(Insn(LOAD, 1, 2), signed) == (poison,)
    assert fixups.patch(Insn(0x81, 1, 2), core.Relocation(8, 8, size=8, old_size=4)) == (poison,)  # sign-extending


@pytest.mark.parametrize(("insn", "found"), [
    (Insn(ADD, 1, imm=9), core.Relocation(24, 8)), (Insn(LOAD, 1, 2), core.Relocation(40000)),
    (Insn(ADD, 1), core.Relocation(1 << 33)), (Insn(0x0F, 1, 2), core.Relocation(1)), (Insn(0x95), core.Relocation(1))])
def test_what_cannot_be_patched_is_refused(insn: Insn, found: core.Relocation) -> None:
    with pytest.raises(FormatError):
        fixups.patch(insn, found)


def test_line_info_needs_every_function_s_first_line() -> None:
    from purebpf.loader import progs

    line = Line(0, "f.py", 3, 7, "text")
    func = FuncSpec("f", (Insn(0x95),), btf_id=5)
    strings = codec.Strings()
    fd = Fd(os.open(os.devnull, os.O_RDONLY))
    fd.close()
    btf = kbtf.KernelBtf(fd, strings, frozenset())
    good = Linked((Insn(0x95),) * 3, ((0, func), (2, func)), ((0, line), (0, line), (1, line), (2, line)))
    records = progs.line_info(good, btf)
    assert len(records) == 3 * 16 and struct.unpack_from("=IIII", records, 16) == (
        1, strings.add("f.py"), strings.add("text"), 3 << 10 | 7)
    assert progs.line_info(good._replace(lines=((0, line),)), btf) == b""
    assert progs.func_info(good) == struct.pack("=IIII", 0, 5, 2, 5)
    assert progs.func_info(good._replace(starts=((0, func), (2, func._replace(btf_id=0))))) == b""


FORMAT = """name: sched_process_exec
ID: 270
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;
\tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;
\tfield:const char * const * argv;\toffset:32;\tsize:8;\tsigned:0;
\tfield:void *func;\toffset:40;\tsize:8;\tsigned:0;

print fmt: "filename=%s", __get_str(filename)
"""


def test_tracepoint_formats() -> None:
    got = {f.name: f for f in tracefs.parse_format(FORMAT)}
    assert list(got) == ["common_type", "common_pid", "filename", "comm", "argv", "func"]
    assert got["filename"] == ("filename", "__data_loc char[]", 8, 4, False)
    assert got["comm"].type == "char[16]" and got["argv"].type == "const char * const *" and got["common_pid"].signed


def test_sums() -> None:
    assert percpu.PerCpu([1, 2, 3]).sum() == 6 and percpu.total([[1, 2], [3, 4]]) == [4, 6]
    assert percpu.total(["a", "b"]) == "a"
    b = Builder()
    u64 = b.add(t.Int("u64", 8))
    pair = b.add(t.Struct("pair", 16, (t.Member("packets", u64, 0), t.Member("bytes", u64, 64))))
    one = value_codec(b.build(), pair, 16)
    per_cpu = percpu.PerCpuCodec(one, 16, 2)
    values = per_cpu.decode(struct.pack("=4Q", 1, 10, 2, 20))
    assert (values.sum().packets, values.sum().bytes) == (3, 30) and type(values.sum()) is type(values[0])
    assert per_cpu.encode(values) == struct.pack("=4Q", 1, 10, 2, 20)
    small = percpu.PerCpuCodec(value_codec(None, 0, 4), 4, 3)
    assert small.encode(7) == struct.pack("=6I", 7, 0, 7, 0, 7, 0) and small.decode(small.encode([1, 2, 3])) == [1, 2, 3]


def test_sizes_and_names() -> None:
    ring = finished(MapSpec("r", 27, 0, 16, live.PAGE + 1))
    assert (ring.max_entries, ring.value_size) == (2 * live.PAGE, 0)
    assert finished(MapSpec("p", 4, 4, 4, 0)).max_entries == live.possible_cpus()
    assert object_name("a name/with é and more") == b"a_name_with___a"
    assert section_name("my_program", ".data") == "my_progr.data" and section_name("x", ".rodata.str1.1") == ".rodata.str1.1"
    assert live.parse_cpus("0-2,5\n") == [0, 1, 2, 5] and live.parse_cpus("") == []


def test_an_fd_is_closed_once_and_warns_when_forgotten() -> None:
    read, write = os.pipe()
    with Fd(read, "reading end") as fd:
        assert fd.fileno() == read and not fd.closed
    fd.close()
    with pytest.raises(ValueError, match="reading end is closed"):
        fd.fileno()
    with pytest.raises(OSError):
        os.fstat(read)
    other = Fd(write, "writing end")
    with pytest.warns(ResourceWarning, match="writing end was never closed"):
        del other
    with pytest.raises(OSError):
        os.fstat(write)


def test_all_are_closed_even_if_one_refuses() -> None:
    closed = []

    class Thing:
        def __init__(self, number: int) -> None:
            self.number = number

        def close(self) -> None:
            closed.append(self.number)
            if self.number == 2:
                raise OSError("no")

    with pytest.raises(OSError, match="no"):
        close_all([Thing(1), Thing(2), Thing(3)])
    assert closed == [3, 2, 1]


def test_refusals_name_the_kernel_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "kernel_version", lambda: (5, 4, 0))
    error = refusals.refuse(errno.EINVAL, "creating a ring buffer", feature="ring buffers", since="5.8")
    assert isinstance(error, NotSupported) and error.since == "5.8" and "needs Linux 5.8" in str(error)
    monkeypatch.setattr(live, "kernel_version", lambda: (6, 1, 0))
    assert type(refusals.refuse(errno.EINVAL, "creating a ring buffer", since="5.8")) is KernelError
    assert isinstance(refusals.refuse(live.ENOTSUPP, "batches"), NotSupported)
    assert "ENOTSUPP" in str(refusals.refuse(live.ENOTSUPP, "batches"))


def test_symbols_of_a_real_file() -> None:
    known = symbols.functions(os.path.realpath(sys.executable))
    assert any(s.name == "Py_BytesMain" or s.name == "main" for s in known) or not known
    path, offset = symbols.locate("libc.so.6:getppid+4")
    assert symbols.locate("libc.so.6:getppid")[1] + 4 == offset and os.path.isabs(path)
    assert symbols.locate(f"{path}:0x1234") == (path, 0x1234)
    assert {s.name for s in symbols.matching(path, "getpp?d")} == {"getppid"}
    for wrong in ("libc.so.6", "libc.so.6:", ":x", "libc.so.6:getppid+x"):
        with pytest.raises(AttachError):
            symbols.locate(wrong)


def test_broken_elf_files_are_errors(tmp_path) -> None:
    with open(symbols.find_file("libc.so.6"), "rb") as file:
        whole = file.read()
    for number, data in enumerate((b"", b"\x7fELF", whole[:64], whole[:100], whole[:len(whole) // 2], b"MZ" + whole[2:])):
        path = tmp_path / f"broken{number}"
        path.write_bytes(data)
        with pytest.raises(ElfError):
            symbols.functions(str(path))
