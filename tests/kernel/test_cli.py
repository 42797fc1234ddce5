"""purebpf load, map and features."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from purebpf import elf, loader
from purebpf.cli import main
from purebpf.loader.refusals import older_than
from purebpf.uapi import versions

pytestmark = pytest.mark.kernel
Build = Callable[[str], str]


def test_load_and_run(clang_object: Build, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", clang_object("globals"), "--run", "00" * 64, "--set", "limit=0", "--set", "label=x"]) == 0
    out = capsys.readouterr().out
    assert "run: returned 1005" in out and "tail: returned 64" in out and "verified" in out
    assert main(["load", clang_object("globals"), "--log", "1"]) == 0
    assert "processed " in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["--set", "limt=1"], "did you mean 'limit'"), (["--set", "limit"], "NAME=VALUE"), (["--run", "xyz"], "no hexadecimal"),
    (["--btf", "/nonexistent"], "/nonexistent"), (["--attach", "no_such_interface"], "does not exist")])
def test_mistakes_are_one_message(clang_object: Build, capsys: pytest.CaptureFixture[str], arguments: list[str],
                                  complaint: str) -> None:
    assert main(["load", clang_object("globals"), *arguments]) == 1
    captured = capsys.readouterr()
    assert complaint in captured.err and "Traceback" not in captured.err


def test_a_missing_or_broken_file(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", str(tmp_path / "none.o")]) == 1
    broken = tmp_path / "broken.o"
    broken.write_bytes(b"\x7fELF" + bytes(100))
    assert main(["load", str(broken)]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(older_than("5.15"), reason="tracepoint links: since 5.15")
def test_pins(clang_object: Build, bpffs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", clang_object("trace"), "--attach", "--pin", f"{bpffs}/t"]) == 0
    assert sorted(os.listdir(f"{bpffs}/t")) == ["calls", "link0", "on_getpgid"]
    os.getpgid(0)
    capsys.readouterr()
    assert main(["map", "dump", f"{bpffs}/t/calls"]) == 0
    assert f"{os.getpid()}: " in capsys.readouterr().out
    for name in os.listdir(f"{bpffs}/t"):
        os.unlink(f"{bpffs}/t/{name}")


def test_attached_until_interrupted(clang_object: Build) -> None:
    command = [sys.executable, "-m", "purebpf", "load", clang_object("trace"), "--attach"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(3)]
        assert "attached tracepoint syscalls:sys_enter_getpgid" in lines[1] and "Ctrl-C" in lines[2]
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0


def test_map_list_and_dump(clang_object: Build, capsys: pytest.CaptureFixture[str]) -> None:
    with loader.load(elf.read(clang_object("maps"))) as k:
        k["count"].test_run(bytes(64))
        assert main(["map", "list"]) == 0
        out = capsys.readouterr().out
        assert any(line.split()[0] == str(k["hash"].info.id) and " hash " in line for line in out.splitlines())
        assert main(["map", "dump", str(k["hash"].info.id), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == [[64, {"len": 64, "cpu": 0, "count": 1}]]
        assert main(["map", "dump", str(k["events"].info.id)]) == 1
        assert "its type is ringbuf" in capsys.readouterr().err
    assert main(["map", "dump", "nobody_has_this"]) == 1


def test_features_agree_with_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    """What the tables say this release has, it has (unless it was built without), and the reverse."""
    assert main(["features", "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    release = got["release"]
    optional = {"lirc_mode2", "LIRC_MODE2", "LSM", "EXT", "TRACING", "STRUCT_OPS", "RHASH", "NETFILTER", "CGROUP_STORAGE"}
    for table, since in (("features", versions.FEATURES.get), ("map types", None), ("program types", None)):
        for name, has in got[table].items():
            from purebpf.uapi.enums import MapType, ProgType

            first = since(name, "") if since else versions.map_type(getattr(MapType, name)) if table == "map types" \
                else versions.prog_type(getattr(ProgType, name))
            if first and name not in optional:
                assert has == versions.has(release, first), (name, has, first)
    assert main(["features", "--helpers", "xdp", "--missing"]) == 0
    out = capsys.readouterr().out
    assert "skb_vlan_pop" in out and "xdp_adjust_head" not in out
    assert main(["features", "--helpers", "nonsense"]) == 1
