"""`purebpf run`: what it reads, what it prints, how it fails."""

from __future__ import annotations

import pytest

from purebpf import elf
from purebpf.cli import main
from purebpf.spec import MapSpec
from purebpf.uapi.enums import MapType
from tests.vm.asm import EXIT, alu, code, load, mov, mov_r, store_imm
from tests.vm.objects import helper, map_ref, program, spec


@pytest.fixture
def file(tmp_path):
    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


ADD = "r0 = *(u8 *)(r1 + 0)\nr0 += 1\n*(u8 *)(r1 + 1) = r0\nexit\n"


@pytest.mark.parametrize("engine", ["fast", "plain"])
def test_assembly(file, capsys, engine):
    assert main(["run", file("a.s", ADD), "--data", "2900", "--engine", engine]) == 0
    assert capsys.readouterr().out == "r0 = 0x2a (42)\nmemory changed, 2 bytes: 292a\n"


def test_raw_and_hex(file, capsys):
    body = code(mov(0, 7), EXIT)
    assert main(["run", file("a.bin", body)]) == 0
    assert main(["run", file("a.hex", body.hex(" ", 8))]) == 0
    assert capsys.readouterr().out == "r0 = 0x7 (7)\n" * 2


def test_python_program(file, capsys):
    text = """
import purebpf as bpf
from purebpf import HashMap, u32, u64

seen = HashMap[u32, u64](max_entries=8)

@bpf.xdp
def count(ctx):
    seen[3] += 1
    return 2
"""
    assert main(["run", file("prog.py", text), "--data", "00" * 64, "--repeat", "3"]) == 0
    assert capsys.readouterr().out == "retval = 2 (PASS)\nmap seen (hash):\n  3: 3\n"


def test_object(file, capsys):
    body = (store_imm(4, 10, 5, -4), map_ref(1, "m"), mov_r(2, 10), alu(0, 2, -4), helper("map_lookup_elem"), mov(0, 1), EXIT)
    data = elf.write(spec(program(*body)._replace(section="xdp"), maps=(MapSpec("m", MapType.HASH, 4, 8, 4),)))
    assert main(["run", file("a.o", data), "--data", "00" * 64]) == 0
    assert capsys.readouterr().out == "retval = 1 (DROP)\nmap m (hash): empty\n"


@pytest.mark.parametrize("content,args,message", [
    (code(mov(1, 0), load(8, 0, 1), EXIT), [], "null pointer (insn 1)"),
    (code(mov(10, 0), EXIT), [], "read-only"),
    ("zz", [], "whole number"),
    ("abc", [], "hex digits"),
    (code(EXIT), ["--data", "xyz"], "--data"),
    (b"\x7fELF....", [], ""),
])
def test_mistakes(file, capsys, content, args, message):
    assert main(["run", file("a", content), *args]) == 1
    shown = capsys.readouterr()
    assert message in shown.err and "Traceback" not in shown.err and shown.out == ""


def test_missing_file(capsys):
    assert main(["run", "/nonexistent/a.o"]) == 1
    assert "No such file" in capsys.readouterr().err
