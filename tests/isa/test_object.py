"""Assembly text to objects: what is in the ObjectSpec, and that libbpf and our loader load what we write."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hypothesis import given, settings
from hypothesis import strategies as st

from purebpf import elf, listing
from purebpf.assembler import assemble_object, constants, helper_ids, read_include
from purebpf.errors import AsmError, FormatError
from purebpf.isa import DataRef, FuncRef, KconfigRef, KfuncRef, KsymRef, MapRef

PROGRAM = """
/* counts packets by protocol */
.license "GPL"
.equ ETH_LEN, 14
struct key { u32 proto; };
.struct stat { u64 packets; u64 bytes; }
.map counts, type=hash, key=struct key, value=struct stat, max_entries=1024, flags=BPF_F_NO_PREALLOC
.map hits, type=BPF_MAP_TYPE_ARRAY, key=u32, value=u64, max_entries=1
.var u64 total
.var u32 start = 5
.rodata
.var u16 port = 53
names: .asciz "tcp", "udp"
.section xdp
.globl count
count:
    r6 = r1
    *(u32 *)(r10 - 4) = 7        ; a comment
    r1 = counts ll
    r2 = r10
    r2 += -sizeof(struct key)
    call bpf_map_lookup_elem
    if r0 == 0 goto 1f
    r1 = 1
    lock *(u64 *)(r0 + offsetof(struct stat, packets)) += r1
1:  r1 = total ll
    r3 = *(u64 *)(r1 + 0)
    r3 += ETH_LEN * 2
    *(u64 *)(r1) = r3
    r1 = port ll
    r6 = *(u16 *)(r1 + 0)
    r1 = start ll
    r8 = *(u32 *)(r1 + 0)
    call helper_fn
    r7 = r0
    r1 = 3
    r2 = body ll
    r3 = 0
    r4 = 0
    call loop
    r0 += r7
    r0 += r6
    r0 += r8
    exit

.section "tracepoint/syscalls/sys_enter_openat"
second:
    mov %r0, 0
    exit

.text
helper_fn:
    mov r0, 'a'
    exit
body: r0 = 0
    exit
"""


def test_what_the_object_holds() -> None:
    spec = assemble_object(PROGRAM, "dir/count.s")
    assert spec.name == "count" and spec.license == "GPL"
    assert list(spec.programs) == ["count", "second"] and list(spec.functions) == ["helper_fn", "body"]
    count, second = spec.programs.values()
    assert (count.section, count.prog_type, count.attach_type) == ("xdp", 6, 37)
    assert (second.prog_type, second.attach_to) == (5, "syscalls/sys_enter_openat")
    refs = [i.ref for i in count.func.insns if i.ref is not None]
    assert refs == [MapRef("counts"), DataRef(".bss", 0, "total"), DataRef(".rodata", 0, "port"), DataRef(".data", 0, "start"),
                    FuncRef("helper_fn"), FuncRef("body")]
    one = spec.maps["counts"]
    assert (one.type, one.key_size, one.value_size, one.max_entries, one.flags) == (1, 4, 16, 1024, 1)
    assert spec.btf is not None and spec.btf[one.key_type].name == "key" and spec.btf[one.value_type].name == "stat"
    assert {name: data.data for name, data in spec.data.items()} == {
        ".bss": bytes(8), ".data": b"\5\0\0\0", ".rodata": b"5\0tcp\0udp\0"}
    assert [(v.name, v.offset, v.size) for v in spec.data[".rodata"].vars] == [("port", 0, 2), ("names", 2, 8)]


def test_lines_point_at_the_assembly() -> None:
    spec = assemble_object(PROGRAM, "count.s")
    lines = PROGRAM.split("\n")
    func = spec.programs["count"].func
    assert [line.insn for line in func.lines] == list(range(len(func.insns)))
    for line in func.lines:
        assert line.file == "count.s" and line.text == lines[line.line - 1].rstrip()
        assert line.text[line.col - 1] != " " and line.text[:line.col - 1].strip() == ""
    assert func.lines[0].text.strip() == "r6 = r1"


def test_externs() -> None:
    spec = assemble_object("""
        .extern void bpf_rcu_read_lock(void)
        .extern weak bpf_nothing
        .ksym int bpf_prog_active
        .ksym weak jiffies
        .kconfig u32 CONFIG_HZ
        .section "?kprobe/do_exit"
        f: call bpf_rcu_read_lock
        call bpf_nothing
        r1 = bpf_prog_active ll
        r1 = jiffies ll
        r1 = CONFIG_HZ ll
        exit""")
    program = spec.programs["f"]
    assert not program.autoload and program.attach_to == "do_exit"
    assert [(i.src, i.ref) for i in program.func.insns[:-1]] == [
        (2, KfuncRef("bpf_rcu_read_lock")), (2, KfuncRef("bpf_nothing", True)), (3, KsymRef("bpf_prog_active")),
        (0, KsymRef("jiffies", False, True)), (0, KconfigRef("CONFIG_HZ"))]
    assert spec.data[".kconfig"].vars[0].name == "CONFIG_HZ"


@pytest.mark.parametrize(("text", "code", "line"), [
    (".section nonsense\nf: exit", "unknown-section", 2),
    (".section xdp\nf: goto g\n.type g, @function\ng: exit", "asm-object", 2),
    (".section xdp\nf: call g\nexit\n.section tc\ng: exit", "asm-object", 2),
    (".section xdp\nf: exit\nexit\nr0 = 0\ncall pc-1000", "asm-object", 5),
    (".section xdp\nf: .insn 0x18, 1, 0, 0, 0\nexit", "asm-object", 2),
    (".map m, key=u32\n.section xdp\nf: exit", "map-attribute", 1),
    (".map m, type=hahs, key=u32\n.section xdp\nf: exit", "map-attribute", 1),
    (".map m, type=hash, key=struct nope\n.section xdp\nf: exit", "asm-syntax", 1),
    (".map m, type=array_of_maps, key=u32, value=u32, inner=n\n.section xdp\nf: exit", "asm-syntax", 1),
    ("; nothing", "empty", 1),
])
def test_mistakes(text: str, code: str, line: int) -> None:
    with pytest.raises(AsmError) as caught:
        assemble_object(text)
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].span.line) == (code, line), caught.value


def test_numeric_local_calls_become_functions() -> None:
    spec = assemble_object(".text\na: call pc+2\ncall b\nexit\nr0 = 7\nexit\nb: exit\n.section xdp\nf: call a\nexit")
    assert list(spec.functions) == ["a", "text_3", "b"]
    assert [i.ref for i in spec.functions["a"].insns] == [FuncRef("text_3"), FuncRef("b"), None]


def test_includes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.inc").write_text('.include "b.inc"\n.equ A, B + 1\n')
    (tmp_path / "sub" / "b.inc").write_text(".equ B, 41\n")
    spec = assemble_object('.include "sub/a.inc"\n.section xdp\nf: r0 = A\nexit', str(tmp_path / "x.s"))
    assert spec.programs["f"].func.insns[0].imm == 42
    assert spec.programs["f"].func.lines[0].line == 3
    with pytest.raises(OSError):
        read_include("missing", str(tmp_path / "x.s"))


def test_variables_of_every_shape_survive_a_listing() -> None:
    text = """
.data
.var volatile struct {
    u16 a;
    u8 b[3];
} packed = "\\001\\000{}\\n"
.var int (*table[2])(u32 a, void *b)
.var char text[8] = "a;b#\\"{"
.var u16 words[4] = {1, 2, 3}
.section xdp
f: r0 = 0
exit
"""
    spec = assemble_object(text)
    assert spec.data[".data"].data[:8] == b"\1\0{}\n\0\0\0" and b"a;b#\"{\0\0\1\0\2\0\3\0\0\0" in spec.data[".data"].data
    shown = listing.text(listing.routines_of_object(spec), listing.Style(), listing.header(spec))
    again = assemble_object(shown)
    assert again.data[".data"].data == spec.data[".data"].data
    assert [v[:3] for v in again.data[".data"].vars] == [v[:3] for v in spec.data[".data"].vars]
    assert ".var int (*table[2])(u32 a, void *b)" in shown


def test_text_that_is_no_utf8() -> None:
    text = '.section "kprobe/x\udcc4"\nf: r0 = 1 ; caf\udce9\nexit\n.rodata\nb: .ascii "\udce9\ud800"\n.section kprobe/\udc80\ng: exit'
    spec = assemble_object(text, "\udce9.s")
    assert spec.data[".rodata"].data == b"\xe9\xed\xa0\x80"
    assert elf.read(elf.write(spec)).programs["f"].func.lines[0].text == "f: r0 = 1 ; caf?"


def test_the_kernels_names() -> None:
    known = constants()
    assert (known["XDP_PASS"], known["BPF_ANY"], known["BPF_F_NO_PREALLOC"], known["TC_ACT_SHOT"]) == (2, 0, 1, 2)
    assert known["BPF_MAP_TYPE_RINGBUF"] == 27 and known["BPF_F_CURRENT_CPU"] == 0xFFFFFFFF
    assert helper_ids()["bpf_loop"] == helper_ids()["loop"] == 181


def test_layout_is_clangs(tmp_path: Path) -> None:
    """Sizes and offsets of declared types against clang's constants."""
    clang = shutil.which("clang-19")
    if clang is None:
        pytest.skip("clang-19 is not installed")
    types = """
struct a { unsigned char x; unsigned int y : 3; unsigned int z : 30; unsigned short w; };
struct b { char c; struct a a[2]; union { long long l; char s[3]; }; char end; };
struct c { char x; long long y; } __attribute__((packed));
struct d { int lo : 5; long long hi : 40; unsigned char f : 1; void *p; int (*call)(int); };
union u { struct a a; char bytes[13]; };
struct e { char x; short y; } __attribute__((aligned(16)));
"""
    wanted = ["sizeof(struct a)", "offsetof(struct a, w)", "sizeof(struct b)", "offsetof(struct b, a[1].w)",
              "offsetof(struct b, s)", "offsetof(struct b, end)", "sizeof(struct c)", "offsetof(struct c, y)",
              "sizeof(struct d)", "offsetof(struct d, p)", "offsetof(struct d, call)", "sizeof(union u)", "sizeof(struct e)"]
    source = ("#define offsetof __builtin_offsetof\n" + types + "unsigned long long v[] = {" + ", ".join(wanted) + "};\n")
    (tmp_path / "x.c").write_text(source)
    subprocess.run([clang, "-target", "bpf", "-c", "x.c", "-o", "x.o"], cwd=tmp_path, check=True)
    from elftools.elf.elffile import ELFFile

    with (tmp_path / "x.o").open("rb") as file:
        data = ELFFile(file).get_section_by_name(".data").data()
    theirs = [int.from_bytes(data[i:i + 8], "little") for i in range(0, len(data), 8)]
    text = types + ".section xdp\nf:\n" + "\n".join(f"r0 = {w}" for w in wanted) + "\nexit"
    ours = [i.imm for i in assemble_object(text).programs["f"].func.insns[:-1]]
    assert dict(zip(wanted, ours)) == dict(zip(wanted, theirs))


_PIECES = st.sampled_from([
    ".license ", '"GPL"', ".map m", ", type=hash", ", key=u32", ", value=struct a", ", max_entries=", "5", "struct a { u32 x; u8 y[3]; };",
    ".struct a {", "u64 b : 3;", "}", ".var u32 x", " = ", "-7", ".rodata", ".data", ".section xdp", ".section ", "f:", "g:", ".text",
    "exit", "call f", "call bpf_loop", "call k", ".extern int k(void)", ".ksym int s", ".kconfig u8 C", "r1 = m ll", "r1 = x ll",
    "r1 = f ll", "r1 = C ll", "r1 = s ll", "goto f", "r0 = sizeof(struct a)", "offsetof(struct a, y[1])", ".proto int f(u32 a)",
    ".globl f", ".type g, @function", ".quad 5", ".asciz \"x\\0\"", ".comm z, 5, 4", "\n", "\n", "\n", " ", ".enum e { A, B = 3 }",
    ".typedef struct a t;", "t", "*", "(", "[", "1:", "call 1b", "0:\t85 10 00 00 ff ff ff ff\tcall -1\n\t\t00000000:  R_BPF_64_32\tg",
])


@given(text=st.lists(_PIECES, max_size=16).map("\n".join) | st.lists(_PIECES, max_size=16).map(" ".join)
       | st.lists(_PIECES, max_size=16).map("".join))
@settings(max_examples=400)
def test_any_text_gives_an_object_or_the_typed_error(text: str) -> None:
    try:
        spec = assemble_object(text, include=None)
        written = elf.write(spec)
    except FormatError:
        return
    assert set(elf.read(written).programs) == set(spec.programs)
    listing.text(listing.routines_of_object(spec), listing.Style(), listing.header(spec))


@pytest.mark.kernel
def test_libbpf_loads_it(tmp_path: Path, bpffs: str) -> None:
    bpftool = shutil.which("bpftool")
    if bpftool is None:
        pytest.skip("bpftool is not installed")
    bpffs = bpffs.replace("/self/", f"/{os.getpid()}/")  # another process looks at it
    obj = tmp_path / "count.o"
    obj.write_bytes(elf.write(assemble_object(PROGRAM, "count.s")))
    done = subprocess.run([bpftool, "prog", "loadall", str(obj), bpffs + "/all"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run([bpftool, "-j", "prog", "dump", "xlated", "pinned", bpffs + "/all/count", "linum"],
                           capture_output=True, text=True, check=True)
    assert "count.s" in shown.stdout and "r6 = r1" in shown.stdout
    for name in os.listdir(bpffs + "/all"):
        os.unlink(f"{bpffs}/all/{name}")


@pytest.mark.kernel
def test_our_loader_loads_and_runs_it() -> None:
    from purebpf import loader

    spec = elf.read(elf.write(assemble_object(PROGRAM, "count.s")))
    with loader.load(spec) as loaded:
        result = loaded["count"].test_run(bytes(64))
        assert result.retval == 3 + ord("a") + 53 + 5
