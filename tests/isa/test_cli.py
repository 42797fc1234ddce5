"""`purebpf asm` and `purebpf dis`: every form in and out, and what they say to bad input."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from purebpf import cli, elf
from purebpf.assembler import assemble_object
from purebpf.isa import assemble

TEXT = "r0 = 1\nif r0 == 0 goto +2\nr1 = 0x1122334455667788 ll\ncall pc+1\nexit\nr0 = 2\nexit\n"
CODE = assemble(TEXT)
OBJECT = """.license "GPL"
.map m, type=hash, key=u32, value=u64, max_entries=8
.var u32 x = 7
.section xdp
.globl f
f: r1 = m ll
r2 = x ll
r0 = *(u32 *)(r2 + 0)
call g
exit
.text
g: r0 = 5
exit
"""


class Result:
    def __init__(self, status: int, out: bytes, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)

    def call(*args: str, stdin: bytes = b"") -> Result:
        class In:
            buffer = io.BytesIO(stdin)

        monkeypatch.setattr("sys.stdin", In())
        capfd.readouterr()
        try:
            status = cli.main(list(args))
        except SystemExit as error:
            status = int(error.code or 0)
        import sys

        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Result(status, out.encode("utf-8", "surrogateescape"), err)

    return call


def write(name: str, data: bytes | str) -> str:
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def test_asm_object(run: Any) -> None:
    write("a.s", OBJECT)
    assert run("asm", "a.s").status == 0
    assert Path("a.o").read_bytes() == elf.write(assemble_object(OBJECT, "a.s"))
    assert run("asm", "-", "-o", "b.o", stdin=OBJECT.encode()).status == 0
    assert elf.read(Path("b.o").read_bytes()).programs.keys() == {"f"}
    assert run("asm", "a.s", "-o", "-").status == 0
    write("c.s", "r0 = 2\nexit")
    assert run("asm", "c.s", "--section", "xdp").status == 0
    assert list(elf.read(Path("c.o").read_bytes()).programs) == ["xdp"]


def test_asm_other_forms(run: Any) -> None:
    write("a.s", TEXT)
    assert run("asm", "a.s", "--raw", "-o", "a.bin").status == 0
    assert Path("a.bin").read_bytes() == CODE
    assert bytes.fromhex(run("asm", "a.s", "--hex").out.decode()) == CODE
    literal = run("asm", "a.s", "--py-bytes").out.decode()
    assert eval(literal) == CODE  # it is meant to be Python
    assert bytes.fromhex(run("asm", "a.s", "--hex", "--big-endian").out.decode()) == assemble(TEXT, byteorder="big")
    assert run("asm", "a.s", "--hex", "--notation", "mnemonic").status == 1
    write("e.s", "")
    assert eval(run("asm", "e.s", "--py-bytes").out.decode()) == b""


def test_c_array_compiles(run: Any) -> None:
    write("a.s", TEXT + ".insn 0xb7, 1, 0, 0, -2147483648\n")
    array = run("asm", "a.s", "--c-array").out.decode()
    assert "/* r0 = 1 */" in array
    compiler = shutil.which("clang-19") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    write("a.c", "#include <linux/bpf.h>\n" + array + "_Static_assert(sizeof(prog) == 72, \"size\");\n"
          "#include <stdio.h>\nint main(void) { fwrite(prog, sizeof prog, 1, stdout); return 0; }\n")
    subprocess.run([compiler, "-Wall", "-Werror", "a.c", "-o", "a.out"], check=True)
    assert subprocess.run(["./a.out"], capture_output=True, check=True).stdout == assemble(TEXT + "r1 = -2147483648")


@pytest.mark.parametrize("data", [
    CODE, CODE.hex().encode(), CODE.hex(" ").encode() + b"\n", ", ".join(f"0x{b:02x}" for b in CODE).encode(),
    "".join(f"\\x{b:02x}" for b in CODE).encode(), b'b"' + "".join(f"\\x{b:02x}" for b in CODE).encode() + b'"',
], ids=["raw", "hex", "spaced", "c", "escaped", "python"])
def test_dis_bytes(run: Any, data: bytes) -> None:
    write("a", data)
    for result in (run("dis", "a"), run("dis", "-", stdin=data)):
        assert result.status == 0, result.err
        assert assemble(result.out.decode()) == CODE
        assert "call func_6" in result.out.decode() and "func_6:" in result.out.decode()


def test_dis_options(run: Any) -> None:
    write("a", CODE)
    assert assemble(run("dis", "a", "--raw", "--no-labels").out.decode()) == CODE
    mnemonic = run("dis", "a", "--notation", "mnemonic", "--bytes").out.decode()
    assert assemble(mnemonic, "mnemonic") == CODE and "; 2: 18 01 00 00 88 77 66 55" in mnemonic
    write("big", assemble(TEXT, byteorder="big"))
    assert assemble(run("dis", "big", "--raw", "--big-endian").out.decode()) == CODE
    shown = run("dis", "a", "--color", "always").out.decode()
    assert "\033[" in shown and "\033[" not in run("dis", "a", "--color", "never").out.decode()
    found = json.loads(run("dis", "a", "--json").out)["functions"]
    assert [i["text"] for i in found[0]["insns"]][:2] == ["r0 = 1", "if r0 == 0 goto L1"]
    assert found[0]["insns"][1]["target"] == 4 and bytes.fromhex(found[0]["insns"][0]["bytes"]) == CODE[:8]
    write("half", bytes([0x18]) + bytes(7) + bytes([0x95]) + bytes(7))
    assert assemble(run("dis", "half").out.decode()) == Path("half").read_bytes()


def test_dis_object(run: Any) -> None:
    write("a.s", OBJECT)
    run("asm", "a.s")
    text = run("dis", "a.o").out.decode()
    for part in ('.license "GPL"', ".map m, type=hash, key=u32, value=u64, max_entries=8", '.section "xdp"', "r1 = m ll",
                 "r2 = x ll", "call g", ".var u32 x"):
        assert part in text, text
    write("b.s", text)
    assert run("asm", "b.s").status == 0
    assert run("dis", "b.o").out.decode() == text
    source = run("dis", "a.o", "--source").out.decode()
    assert "; a.s:7  r2 = x ll" in source
    assert "g:" not in run("dis", "a.o", "--section", "xdp").out.decode().split("\n")
    refs = [i.get("ref") for f in json.loads(run("dis", "a.o", "--json").out)["functions"] for i in f["insns"]]
    assert {"kind": "map", "name": "m"} in refs


def test_dis_of_two_objects_shows_how_they_differ(run: Any) -> None:
    for name, number in (("a", 1), ("b", 2)):
        write(f"{name}.s", f'.section "xdp"\n.globl f\nf:\n    r0 = {number}\n    exit\n')
        assert run("asm", f"{name}.s").status == 0
    done = run("dis", "a.o", "--diff", "b.o")
    assert done.status == 1 and "-    r0 = 1\n+    r0 = 2\n" in done.out.decode()
    assert run("dis", "a.o", "--diff", "a.o").status == 0


def test_dis_object_that_cannot_be_loaded(run: Any) -> None:
    """Without BTF its map has no definition: the code is shown all the same, with what relocations say as comments."""
    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is not installed")
    source = Path(__file__).parents[1] / "data" / "objects" / "maps.c"
    subprocess.run(["clang-19", "-target", "bpf", "-O2", "-w", "-c", str(source), "-o", "m.o"], check=True)
    result = run("dis", "m.o")
    assert result.status == 0 and "no BTF" in result.err
    text = result.out.decode()
    assert '.section "xdp"' in text and "f:" in text and "; refers to hash" in text
    assert "ll" in text and " hash ll" in text
    write("m.s", text)  # what is not declared is not taken for a number
    refused = run("asm", "m.s", "--hex")
    assert refused.status == 1 and "'hash' is no map" in refused.err


def test_dis_big_endian_object(run: Any) -> None:
    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is not installed")
    source = Path(__file__).parents[1] / "data" / "objects" / "maps.c"
    subprocess.run(["clang-19", "-target", "bpfeb", "-g", "-O2", "-w", "-c", str(source), "-o", "m.o"], check=True)
    from purebpf.elf import reader

    code = reader.parse(Path("m.o").read_bytes()).named("xdp").data  # type: ignore[union-attr]
    (function,) = json.loads(run("dis", "m.o", "--json").out)["functions"]
    plain = [i for i in function["insns"] if "ref" not in i]
    assert len(plain) > 10
    for insn in plain:
        shown = bytes.fromhex(insn["bytes"])
        assert code[8 * insn["slot"]:][:len(shown)] == shown


def test_control_flow_graph(run: Any) -> None:
    write("a", CODE)
    assert run("dis", "a", "--cfg", "g.dot").status == 0
    dot = Path("g.dot").read_text()
    assert dot.startswith("digraph") and 'label="taken"' in dot and dot.count("subgraph") == 2
    assert run("dis", "a", "--cfg", "-").out.decode() == dot
    result = run("dis", "a", "--cfg", "g.svg")
    if shutil.which("dot"):
        assert result.status == 0 and b"<svg" in Path("g.svg").read_bytes()
    else:
        assert result.status == 1 and "Graphviz" in result.err


def test_classic(run: Any) -> None:
    write("f", "ldh [12]\njeq #0x800, y, n\ny: ret #-1\nn: ret #0\n")
    assert "jeq #0x800, l2, l3" in run("dis", "--cbpf", "f").out.decode()
    translated = run("dis", "--cbpf", "--ebpf", "f").out.decode()
    assert "r0 = *(u16 *)skb[12]" in translated
    write("f.ddd", "4\n40 0 0 12\n21 0 1 2048\n6 0 0 4294967295\n6 0 0 0\n")
    assert run("asm", "--cbpf", "--hex", "f.ddd").out == run("asm", "--cbpf", "--hex", "f").out
    assert run("asm", "--cbpf", "f", "-o", "f.o").status == 0
    assert elf.read(Path("f.o").read_bytes()).programs["filter"].section == "socket"
    assert bytes.fromhex(run("asm", "--cbpf", "--hex", "f").out.decode()) == assemble(translated)


@pytest.mark.parametrize(("args", "content", "message"), [
    (("asm", "missing.s"), None, "No such file"), (("asm", "a"), "r0 = r99\nfoo", "a:1:6: error[unknown-register]"),
    (("asm", "-"), None, "needs -o"),
    (("asm", "a.o"), "exit", "give -o"),
    (("dis", "missing"), None, "No such file"), (("dis", "a"), "odd bytes", "no whole number"),
    (("dis", "a", "--hex"), "zz", "hex"), (("dis", "a"), b"\x7fELF" + bytes(60), "a"), (("dis", "a", "--elf"), "exit", ""),
    (("dis",), None, "give either IN"), (("dis", "a", "--id", "1"), "x", "give either IN"), (("dis", "a", "--jited"), "x", "--jited"),
    (("dis", "a", "--cbpf"), "lod 5", "did you mean"), (("dis", "--pinned", "/nowhere/at/all"), None, "/nowhere/at/all"),
])
def test_bad_input(run: Any, args: tuple[str, ...], content: str | bytes | None, message: str) -> None:
    if content is not None:
        write(args[1], content)
    result = run(*args)
    assert result.status == 1
    assert message in result.err and "Traceback" not in result.err and result.err.strip()


def test_wrong_usage(run: Any) -> None:
    assert run("dis", "--no-such-option").status == 2
    assert run("asm").status == 2
    assert run("dis", "a", "--raw", "--hex").status == 2
    for command in ("asm", "dis"):
        assert run(command, "--help").status == 0


@pytest.mark.kernel
def test_program_in_the_kernel(run: Any) -> None:
    from purebpf import loader

    with loader.load(assemble_object(OBJECT.replace("f:", "cli_test_prog_f:").replace("globl f", "globl cli_test_prog_f"), "k.s")) as loaded:
        program = loaded["cli_test_prog_f"]
        number = str(program.info.id)
        shown = run("dis", "--id", number, "--source")
        assert shown.status == 0, shown.err
        text = shown.out.decode()
        assert "cli_test_prog_f:" in text and "call g" in text and "; k.s:8  r0 = *(u32 *)(r2 + 0)" in text and "map id" in text
        assert ".insn" not in text and len(assemble(text)) == len(program.info.xlated)
        assert run("dis", "--name", "cli_test_prog_f").out == run("dis", "--id", number).out
        jited = bytes.fromhex(run("dis", "--id", number, "--jited").out.decode())
        assert jited == program.info.jited
        assert run("dis", "--id", number, "--json").status == 0
    assert run("dis", "--name", "cli_test_prog_f").status == 1
    missing = run("dis", "--id", number)
    assert missing.status == 1 and "no prog has this id" in missing.err
