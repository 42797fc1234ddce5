"""Object files: what we write, others read; what clang writes, we read; and what we read we write again."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from purebpf import elf
from purebpf.btf import types as t
from purebpf.errors import ElfError, FormatError
from purebpf.isa import insn as i
from purebpf.isa.insn import CoreRef, DataRef, FuncRef, KconfigRef, KfuncRef, KsymRef, MapRef
from purebpf.spec import DataSpec, FuncSpec, MapSpec, ObjectSpec, ProgramSpec
from purebpf.uapi.enums import MapType
from tests.elf.example import EXIT, call, full, load, mov

DATA = Path(__file__).parents[1] / "data"
CLANG = sorted(DATA.glob("*.o"))
EVERYTHING = [p for p in CLANG if p.name.startswith("everything")]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def alike(a: ObjectSpec, b: ObjectSpec) -> None:
    """Equal in all that a loader looks at."""
    assert dict(a.programs) == dict(b.programs) and dict(a.functions) == dict(b.functions) and a.license == b.license
    assert a.maps.keys() == b.maps.keys() and a.data.keys() == b.data.keys()
    for name, one in a.maps.items():
        inner = b.maps[name].inner
        other = b.maps[name]._replace(inner=inner._replace(name=one.inner.name) if one.inner and inner else inner)
        assert other._replace(contents=tuple(sorted(other.contents))) == one._replace(contents=tuple(sorted(one.contents)))
    for name, section in a.data.items():
        other_section = b.data[name]
        assert other_section.data == section.data
        for var, again in zip(section.vars, other_section.vars, strict=True):
            assert again._replace(type_id=var.type_id) == var  # a type that was not given is made up
            assert not var.type_id or again.type_id == var.type_id
    if a.btf is not None:
        assert b.btf is not None
        for type_id, one_type in a.btf.items():
            assert isinstance(one_type, t.Datasec) or b.btf[type_id] == one_type


def test_what_is_written_is_read_again() -> None:
    alike(full(), elf.read(elf.write(full())))


@pytest.mark.parametrize("path", CLANG, ids=lambda p: p.name)
def test_what_clang_wrote_is_written_and_read_again(path: Path) -> None:
    spec = elf.read(path)
    assert spec.name == path.name.split(".")[0]
    again = elf.read(elf.write(spec))
    alike(spec, again)
    assert elf.write(again) == elf.write(elf.read(elf.write(again)))


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert elf.write(full()) == elf.write(full())


def test_saving_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "x.o"
    elf.save(full(), str(path))
    assert path.read_bytes() == elf.write(full()) and elf.read(str(path)).name == "x"
    full().save(path)
    assert path.read_bytes() == elf.write(full())
    with pytest.raises(FormatError):
        elf.save(ObjectSpec({"p": ProgramSpec(FuncSpec("p", (call("nothing"), EXIT)), "xdp", 6)}), str(tmp_path / "y.o"))
    assert [p.name for p in tmp_path.iterdir()] == ["x.o"]


# ── what others say of our files ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elf") / "full.o"
    elf.save(full(), str(path))
    return path


def test_readelf_finds_nothing_to_complain_about(ours: Path) -> None:
    for tool in (["readelf", "-aW"], ["llvm-readelf-19", "-aW"]):
        done = subprocess.run([*tool, str(ours)], capture_output=True, text=True)
        assert done.returncode == 0 and "warning" not in (done.stdout + done.stderr).lower(), done.stderr
    text = run("llvm-readelf-19", "-SsW", str(ours))
    for section in (".text", "xdp", "raw_tp/sys_enter", "license", ".maps", ".rodata", ".data", ".bss", ".BTF", ".BTF.ext"):
        assert re.search(rf"\] {re.escape(section)} ", text), section
    assert re.search(r"FUNC +LOCAL .* quiet", text) and re.search(r"FUNC +GLOBAL .* loud", text)


def test_objdump_disassembles_every_function(ours: Path) -> None:
    text = run("llvm-objdump-19", "-dr", str(ours))
    for name in ("first", "second", "trace", "quiet", "loud", "each"):
        assert f"<{name}>:" in text
    assert re.search(r"R_BPF_64_64\s+counts", text) and re.search(r"R_BPF_64_32\s+loud", text)
    assert "<unknown>" not in text


def test_bpftool_reads_the_types(ours: Path) -> None:
    types = {one["id"]: one for one in json.loads(run("bpftool", "-j", "btf", "dump", "file", str(ours)))["types"]}
    sections = {one["name"]: one for one in types.values() if one["kind"] == "DATASEC"}
    names = {s: [types[v["type_id"]]["name"] for v in one["vars"]] for s, one in sections.items()}
    assert names[".rodata"] == ["first_limit", "limit"] and names[".bss"] == ["hits", "hidden"]
    assert set(names[".maps"]) == set(full().maps) and sections[".bss"]["size"] == 16


LOADALL = "mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall {} /sys/fs/bpf/p pinmaps /sys/fs/bpf && {}"


def in_private_bpffs(command: str) -> str:
    return run("unshare", "-m", "sh", "-ec", command)


@pytest.mark.kernel
def test_libbpf_loads_our_object(ours: Path) -> None:
    script = "ls /sys/fs/bpf/p /sys/fs/bpf; bpftool -j map dump pinned /sys/fs/bpf/full_rodata 2>/dev/null"
    text = in_private_bpffs(LOADALL.format(ours, script))
    for name in ("first", "second", "trace", "counts", "filter", "outer", "slot", "ring", "jumps", "bare"):
        assert f"\n{name}\n" in f"\n{text}", name


@pytest.mark.kernel
def test_map_values_have_field_names(ours: Path) -> None:
    script = ("bpftool map update pinned /sys/fs/bpf/slot key 0 0 0 0 value 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0;"
              "bpftool -j map dump pinned /sys/fs/bpf/slot")
    got = json.loads(in_private_bpffs(LOADALL.format(ours, script)))
    assert got[0]["formatted"]["value"] == {"packets": 1, "bytes": 2}


@pytest.mark.kernel
def test_slots_are_filled(ours: Path) -> None:
    script = ("bpftool -j map dump pinned /sys/fs/bpf/jumps; bpftool -j map dump pinned /sys/fs/bpf/outer;"
              "bpftool prog dump xlated pinned /sys/fs/bpf/p/first linum")
    jumps, outer, code = in_private_bpffs(LOADALL.format(ours, script)).split("\n", 2)
    assert [one["key"] for one in json.loads(jumps)] == [["0x00"] * 4, ["0x02", "0x00", "0x00", "0x00"]]
    assert [one["key"] for one in json.loads(outer)] == [["0x01", "0x00", "0x00", "0x00"]]
    assert "def quiet [file:prog.py line_num:3 line_col:5]" in code and "int loud(int a):" in code


def xlated(path: Path, program: str) -> list[str]:
    """The kernel's instructions, with what differs from load to load removed."""
    text = in_private_bpffs(LOADALL.format(path, f"bpftool prog dump xlated pinned /sys/fs/bpf/p/{program}"))
    return [re.sub(r"id:\d+|bpf_prog_[0-9a-f]{16}", "id", one) for one in text.splitlines()]


@pytest.mark.kernel
@pytest.mark.parametrize("path", EVERYTHING[1:], ids=lambda p: p.name)
def test_libbpf_makes_the_same_of_both(path: Path, tmp_path: Path) -> None:
    """clang's object and the one that we make of it become the same programs."""
    again = tmp_path / path.name
    elf.save(elf.read(path), str(again))
    for program in ("xdp_first", "on_enter"):
        assert xlated(again, program) == xlated(path, program)


# ── what we make of clang's files ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.name)
def test_everything_is_understood(path: Path) -> None:
    spec = elf.read(path)
    assert set(spec.programs) == {"xdp_first", "xdp_second", "on_enter"} and spec.license == "Dual MIT/GPL"
    assert {n: f.static for n, f in spec.functions.items()} == {"twice": True, "thrice": False, "callback": True}
    program = spec.programs["on_enter"]
    assert (program.section, program.prog_type, program.attach_to) == ("raw_tp/sys_enter", 17, "sys_enter")
    assert spec.programs["xdp_first"].attach_type == 37
    outer, events = spec.maps["outer"], spec.maps["events"]
    assert outer.inner is not None and (outer.inner.type, outer.inner.value_size) == (MapType.ARRAY, 8)
    assert outer.contents == ((bytes(4), "in_a"), (b"\2\0\0\0", "in_b")) and outer.value_size == 4
    assert (events.key_size, events.value_size, events.pinning, events.flags) == (4, 32, 1, 1)
    assert spec.maps["jt"].contents == ((b"\1\0\0\0", "xdp_second"),)
    assert spec.maps["rb"] == MapSpec("rb", MapType.RINGBUF, 0, 0, 4096)


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.name)
def test_globals_and_their_types(path: Path) -> None:
    spec = elf.read(path)
    assert spec.btf is not None
    rodata = {v.name: v for v in spec.data[".rodata"].vars}
    assert int.from_bytes(spec.data[".rodata"].data[rodata["limit"].offset:][:4], "little") == 7
    assert {v.name: v.static for v in spec.data[".bss"].vars} == {"hits": False, "hidden_zero": True}
    assert {v.name for v in spec.data[".data"].vars} == {"start", "hidden_count"}
    assert spec.data[".data.tuned"].data == (5).to_bytes(8, "little")
    assert [(v.name, v.offset, v.size) for v in spec.data[".kconfig"].vars] in (
        [("LINUX_KERNEL_VERSION", 0, 4), ("CONFIG_BPF_SYSCALL", 4, 1)],
        [("CONFIG_BPF_SYSCALL", 0, 1), ("LINUX_KERNEL_VERSION", 4, 4)])
    for name in (".rodata", ".bss", ".data", ".maps"):
        one = spec.btf[spec.btf.find(name, t.Datasec) or 0]
        assert isinstance(one, t.Datasec) and one.size > 0
        assert [v.offset for v in one.vars] == sorted(v.offset for v in one.vars)
        places = {spec.btf[v.type].name: v.offset for v in one.vars}  # type: ignore[union-attr]
        for var in spec.data[name].vars if name in spec.data else ():
            assert places[var.name] == var.offset and var.type_id
    functions = {one.name: one.linkage for one in spec.btf if isinstance(one, t.Func)}
    assert functions["twice"] == t.STATIC and functions["thrice"] == t.GLOBAL


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda p: p.name)
def test_references_of_every_kind(path: Path) -> None:
    spec = elf.read(path)
    bodies = {**{p.name: p.func for p in spec.programs.values()}, **spec.functions}
    refs = {name: [x.ref for x in func.insns if x.ref is not None] for name, func in bodies.items()}
    assert {FuncRef("twice"), DataRef(".bss", 0, "hits")} <= set(refs["thrice"]) | {DataRef(".bss", 0, "hits")}
    assert any(isinstance(r, DataRef) and r.symbol == "hits" for r in refs["thrice"])
    assert {MapRef("events"), MapRef("jt"), FuncRef("thrice")} <= set(refs["xdp_first"])
    assert {MapRef("outer"), FuncRef("callback"), FuncRef("twice")} <= set(refs["xdp_second"])
    assert {KconfigRef("LINUX_KERNEL_VERSION"), KsymRef("bpf_prog_put", False, True),
            KsymRef("bpf_absent_variable", True, True), KfuncRef("bpf_absent_kfunc", True)} <= set(refs["on_enter"])
    assert {r.kind for r in refs["on_enter"] if isinstance(r, CoreRef)} == {0, 2, 7, 9, 11}
    statics = [r for r in refs["twice"] if isinstance(r, DataRef)]
    assert {(r.section, r.symbol) for r in statics} == {(".data", ""), (".bss", "")}  # section and offset
    data = {s: {v.offset: v.name for v in one.vars} for s, one in spec.data.items()}
    assert {data[r.section][r.offset] for r in statics} == {"hidden_count", "hidden_zero"}
    for func in bodies.values():
        assert func.btf_id and func.lines and func.lines[0].insn == 0 and func.lines[0].file.endswith("everything.c")
    linked = spec.link("xdp_first")
    assert [f.name for _, f in linked.starts] == ["xdp_first", "thrice", "twice"]


def test_an_object_without_btf() -> None:
    spec = elf.read(DATA / "plain-19.o")
    assert spec.btf is None and set(spec.programs) == {"keep", "none"} and set(spec.functions) == {"half"}
    assert spec.programs["none"].attach_to == "syscalls/sys_enter_openat" and spec.programs["keep"].prog_type == 1


def test_a_program_that_is_not_loaded_by_default() -> None:
    spec = elf.read(DATA / "types-19.o")
    assert not spec.programs["prog"].autoload and spec.programs["prog"].section == "xdp"
    assert not elf.read(elf.write(spec)).programs["prog"].autoload


# ── what cannot be ───────────────────────────────────────────────────────────────────────────────────────────────────


def program(*insns: i.Insn, **rest: object) -> ObjectSpec:
    return ObjectSpec({"p": ProgramSpec(FuncSpec("p", (*insns, EXIT)), "xdp", 6)}, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("spec, says", [
    (program(load(1, 1, MapRef("m"))), "map 'm'"), (program(load(1, 2, DataRef(".data", 0))), "data section '.data'"),
    (program(call("f")), "function 'f'"), (program(mov(0, 0)._replace(ref=i.Label("l"))), "label 'l'"),
    (program(load(1, 3, KsymRef("k"))), "does not declare extern 'k'"),
    (program(mov(0, 0)._replace(ref=CoreRef(1, "0:0", 0))), "without BTF"),
    (program(data={".bss": DataSpec(".bss", b"\1")}), "not all zero"),
    (program(functions={"p": FuncSpec("p", (EXIT,))}), "two functions are called 'p'"),
    (program(maps={"m": MapSpec("m", 1, 4, 4, 1, contents=((bytes(4), bytes(4)),))}), "initial entries"),
    (program(maps={"m": MapSpec("m", MapType.PROG_ARRAY, 4, 4, 1, contents=((bytes(4), "q"),))}), "program 'q'"),
    (program(maps={"m": MapSpec("m", MapType.PROG_ARRAY, 4, 4, 1, contents=((bytes(3), "p"),))}), "4 bytes")])
def test_specs_that_cannot_be_written(spec: ObjectSpec, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        elf.write(spec)


@pytest.mark.parametrize("data, says", [
    (b"", "not an ELF"), (b"\x7fELF", "malformed"), (b"\x7fELF" + bytes(100), "malformed|not a BPF"),
    (Path("/bin/true").read_bytes(), "not a BPF object")])
def test_files_that_are_no_objects(data: bytes, says: str) -> None:
    with pytest.raises(ElfError, match=says):
        elf.read(data)


def test_the_file_is_named_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "bad.o"
    path.write_bytes(elf.write(full())[:500])
    with pytest.raises(ElfError, match="bad.o"):
        elf.read(path)
    with pytest.raises(OSError):
        elf.read(tmp_path / "absent.o")


def test_writing_does_not_import_pyelftools() -> None:
    code = "import sys; from tests.elf.example import full; from purebpf import elf; elf.write(full()); " \
           "print([m for m in sys.modules if m.startswith('elftools') or m == 'dataclasses'])"
    assert run(sys.executable, "-c", code).strip() == "[]"


def test_statics_of_one_name_are_told_apart() -> None:
    one = full()
    twice = elf.read(elf.write(one._replace(functions={**one.functions, "quiet.1": one.functions["quiet"]._replace(name="quiet.1")})))
    assert {"quiet", "quiet.1"} <= set(twice.functions)


def test_an_object_that_cannot_be_read_is_listed_with_its_symbols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reassembling it must not make numbers of what was a reference."""
    from purebpf.assembler import assemble_object
    from purebpf.cli import main
    from tests.elf.test_hostile import EXIT, elf_file

    load = bytes([0x18, 1, 0, 0, 0, 0, 0, 0]) + bytes(8)
    relocation = (0).to_bytes(8, "little") + ((1 << 32) | 1).to_bytes(8, "little")
    data = bytearray(elf_file([("xdp", 1, 6, load + EXIT, 0), (".relxdp", 9, 0, relocation, 0)],
                              [("thing", 0x11, 0xFFF1, 0, 0), ("f", 0x12, 3, 0, 24)]))
    table = int.from_bytes(data[40:48], "little") + 64 * 4  # header of .relxdp: link, info, entry size
    data[table + 40:table + 48] = (2).to_bytes(4, "little") + (3).to_bytes(4, "little")
    data[table + 56:table + 64] = (16).to_bytes(8, "little")
    path = tmp_path / "x.o"
    path.write_bytes(data)
    assert main(["dis", str(path)]) == 0
    shown = capsys.readouterr()
    assert "in no section" in shown.err and "r1 = thing ll" in shown.out
    with pytest.raises(FormatError, match="thing"):
        assemble_object(shown.out)


@pytest.mark.parametrize("fields", [2, 5])
def test_legacy_maps_are_read(fields: int) -> None:
    import struct

    from tests.elf.test_hostile import EXIT, elf_file

    one = struct.pack(f"<{fields}I", *(1, 4, 8, 16, 0)[:fields])
    data = elf_file([("xdp", 1, 6, EXIT, 0), ("maps", 1, 3, one * 2, 0)],
                    [("f", 0x12, 3, 0, 8), ("a", 0x11, 4, 0, len(one)), ("b", 0x11, 4, len(one), len(one))])
    if fields < 5:
        with pytest.raises(ElfError, match="bytes a map"):
            elf.read(data)
    else:
        assert list(elf.read(data).maps.values()) == [MapSpec("a", 1, 4, 8, 16), MapSpec("b", 1, 4, 8, 16)]
    other = elf_file([("xdp", 1, 6, EXIT, 0), ("maps", 1, 3, struct.pack("<7I", 1, 4, 8, 16, 0, 0, 9), 0)],
                     [("f", 0x12, 3, 0, 8), ("a", 0x11, 4, 0, 28)])
    with pytest.raises(ElfError, match="another loader"):
        elf.read(other)


def test_the_license_keeps_its_name_and_length() -> None:
    spec = elf.read(elf.write(full()))
    assert spec.btf is not None
    for text in ("GPL", "Dual MIT/GPL", "a much longer one than before"):
        again = elf.read(elf.write(spec._replace(license=text)))
        assert again.license == text and again.btf is not None
        row = next(one for one in again.btf if isinstance(one, t.Datasec) and one.name == "license")
        assert row.vars[0].size == row.size == len(text) + 1 and len(row.vars) == 1


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "x.o", tmp_path / "link.o"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    elf.save(full(), link)
    assert link.is_symlink() and path.read_bytes() == elf.write(full()) and path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.o", "x.o"]
    elf.save(full(), "/dev/null")
