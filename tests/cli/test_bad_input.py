"""A user's mistake at the command line: a clear message with its place, exit status 1, no traceback, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = 'import purebpf as bpf\n@bpf.xdp\ndef prog(ctx):\n    return 2\n'


def purebpf(*args: str, cwd: Path, powerless: bool = False) -> subprocess.CompletedProcess[str]:
    """The command; `powerless`: without any capability."""
    drop = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if powerless else []
    return subprocess.run([*drop, sys.executable, "-m", "purebpf", *args], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize(("text", "words"), [
    (GOOD + "def broken(:\n", ["prog.py:5:", "syntax"]),
    ("import purebpf as bpf\nimport nothing_there\n", ["prog.py:2:", "nothing_there"]),
    ("import purebpf as bpf\n1 // 0\n" + GOOD, ["prog.py:2:", "ZeroDivisionError"]),
    ("x = 1\n", ["no BPF program in this file"]),
    (GOOD.replace("return 2", "return undefined_thing"), ["prog.py:4:12", "undefined-name", "^"]),
    (GOOD.replace("return 2", "return [i for i in range(3)]"), ["prog.py:4:12", "unsupported"]),
    (GOOD.replace("return 2", "x = ctx.packet.pull(bpf.net.Ethernet)\n    return x.proto"), ["prog.py:5:12", "null-pointer"]),
    (GOOD.replace("return 2", "a = bpf.u8[600]()\n    for i in range(600):\n        a[i] = ctx.rx_queue_index\n"
                  "    return a[ctx.rx_queue_index]"), ["stack-too-large", "prog.py:4"]),
    ("import purebpf as bpf\nm = bpf.HashMap[bpf.u32](max_entries=1)\n", ["prog.py:2:", "HashMap takes 2 types"]),
    ("import purebpf as bpf\nm = bpf.HashMap[bpf.u32, bpf.u32](max_entries=-1)\n", ["prog.py:2:", "max_entries"]),
    ("import purebpf as bpf\n@bpf.struct\nclass S:\n    a: float\n", ["prog.py:", "float"]),
])
def test_a_wrong_program(text: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(text)
    refused(purebpf("build", "prog.py", "-o", "out.o", cwd=tmp_path), *words)
    assert not (tmp_path / "out.o").exists()


@pytest.mark.parametrize("command", ["load", "dis", "run"])
def test_a_broken_object(command: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(GOOD)
    assert purebpf("build", "prog.py", "-o", "good.o", cwd=tmp_path).returncode == 0
    whole = (tmp_path / "good.o").read_bytes()
    for cut in (0, 3, 20, 64, len(whole) // 2, len(whole) - 100):
        (tmp_path / "bad.o").write_bytes(whole[:cut] if cut != 3 else b"\x7fELF" + bytes(80))
        done = purebpf(command, "bad.o", cwd=tmp_path)
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1) if command == "dis" else done.returncode == 1, (cut, done.stdout, done.stderr)


def test_truncated_btf(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(GOOD)
    assert purebpf("build", "prog.py", "-o", "good.o", cwd=tmp_path).returncode == 0
    data = bytearray((tmp_path / "good.o").read_bytes())
    at = data.index(b"\x9f\xeb\x01\x00")
    data[at + 12 : at + 16] = (1 << 20).to_bytes(4, "little")  # the types claim to be longer than the file
    (tmp_path / "bad.o").write_bytes(data)
    refused(purebpf("load", "bad.o", cwd=tmp_path), "bad.o")


def test_a_missing_file(tmp_path: Path) -> None:
    for command in ("build", "dis", "load", "run", "asm", "ir"):
        refused(purebpf(command, "nothing.here", cwd=tmp_path), "nothing.here")


def test_wrong_usage(tmp_path: Path) -> None:
    for args in (["nonsense"], ["build"], ["build", "x.py", "--cpu", "9"]):
        done = purebpf(*args, cwd=tmp_path)
        assert done.returncode == 2 and "usage" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.kernel
def test_missing_privilege(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(GOOD)
    assert purebpf("build", "prog.py", "-o", "good.o", cwd=tmp_path).returncode == 0
    refused(purebpf("load", "good.o", cwd=tmp_path, powerless=True), "CAP_BPF")


@pytest.mark.kernel
def test_a_missing_tracepoint(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(GOOD.replace("@bpf.xdp", '@bpf.tracepoint("syscalls:sys_enter_opennat")'))
    refused(purebpf("build", "wrong.py", "-o", "tp.o", cwd=tmp_path), "sys_enter_opennat", "sys_enter_openat")
    (tmp_path / "prog.py").write_text(GOOD.replace("@bpf.xdp", '@bpf.tracepoint("syscalls:sys_enter_openat")'))
    assert purebpf("build", "prog.py", "-o", "tp.o", cwd=tmp_path).returncode == 0
    built = (tmp_path / "tp.o").read_bytes()  # an object from elsewhere: it was not checked for this kernel
    (tmp_path / "other.o").write_bytes(built.replace(b"sys_enter_openat", b"sys_enter_opemat"))
    refused(purebpf("load", "other.o", "--attach", cwd=tmp_path), "sys_enter_opemat", "sys_enter_openat")


@pytest.mark.parametrize("word, place", [("u33", "5:8"), ("'u33'", "5:8"), ("list", "5:8"), ("Ptr[u33]", "5:12")])
def test_a_field_of_no_type_is_pointed_at(tmp_path: Path, word: str, place: str) -> None:
    (tmp_path / "prog.py").write_text(f"import purebpf as bpf\nfrom purebpf import Ptr\n@bpf.struct\nclass E:\n    b: {word}\n")
    refused(purebpf("build", "prog.py", cwd=tmp_path), f"prog.py:{place}: error[import]")
