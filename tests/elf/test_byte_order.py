"""Objects for machines of either byte order: the same program says the same to LLVM, bpftool and our own tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from purebpf import elf
from purebpf.cli import main
from purebpf.linker import link
from purebpf.spec import ObjectSpec
from purebpf.errors import PureBpfError
from purebpf.objects import Table
from purebpf.vm import Machine

SOURCE = '''
import purebpf as bpf
from purebpf import Const, Global, HashMap, be16, i32, u32, u64
from purebpf.net import Ethernet

@bpf.kernel_struct
class task_struct:
    pid: i32
    tgid: i32

@bpf.struct
class Event:
    low: u32[:5]
    high: u32[:11]
    port: be16
    n: u64

seen = HashMap[u32, Event](max_entries=8)
kept = Global[Event](Event(low=1, high=1000, port=80, n=7))
total = Global[u64](0)
limit = Const[u32](300)

@bpf.func
def once(n: u64) -> u64:
    total.value += n
    return total.value

@bpf.tracepoint("syscalls:sys_enter_openat")
def on_open(ctx):
    """Nothing here looks different on another machine."""
    t = bpf.current_task(task_struct)
    if t.pid > limit:
        del seen[u32(t.tgid)]
    once(5)

@bpf.xdp
def packet(ctx):
    """Nearly everything here does."""
    eth = ctx.packet.pull(Ethernet)
    if eth is None:
        return 0
    kept.value.high += 1
    seen[1] = Event(low=9, high=limit, port=eth.proto, n=0x0102030405060708)
    return kept.value.high
'''
MACHINES = {"bpfel": "little", "bpfeb": "big"}
FRAME = bytes(12) + b"\x08\x00" + bytes(50)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("order")
    (folder / "one.py").write_text(SOURCE, encoding="utf-8")
    out = {machine: folder / machine / "one.o" for machine in MACHINES}
    for machine, path in out.items():
        path.parent.mkdir()
        assert main(["build", str(folder / "one.py"), "--target", machine, "--cpu", "4", "-o", str(path)]) == 0
    return out


@pytest.fixture(scope="module")
def specs(paths: dict[str, Path]) -> dict[str, ObjectSpec]:
    return {machine: elf.read(str(path)) for machine, path in paths.items()}


def tool(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
    return done.stdout


def test_llvm_reads_both_alike(paths: dict[str, Path]) -> None:
    """Instructions, relocations, lines and CO-RE records of a program that no machine changes."""
    texts = [tool("llvm-objdump-19", "-dlr", "--mcpu=v4", "--no-show-raw-insn", "--section=tracepoint/syscalls/sys_enter_openat", "--section=.text",
                  str(path)).split("Disassembly", 1)[1] for path in paths.values()]
    assert texts[0] == texts[1] and "<unknown>" not in texts[0]
    assert "CO-RE <byte_off>" in texts[0] and "R_BPF_64_64\tlimit" in texts[0] and "one.py:" in texts[0]


def test_llvm_knows_every_instruction(paths: dict[str, Path]) -> None:
    for path in paths.values():
        assert "<unknown>" not in tool("llvm-objdump-19", "-d", "--mcpu=v4", str(path))


def test_readelf_finds_nothing_to_complain_about(paths: dict[str, Path]) -> None:
    for machine, path in paths.items():
        for program in ("readelf", "llvm-readelf-19"):
            assert f"{MACHINES[machine]} endian" in tool(program, "-aW", str(path))


def test_bpftool_reads_the_same_types(paths: dict[str, Path]) -> None:
    one, other = (json.loads(tool("bpftool", "-j", "btf", "dump", "file", str(path))) for path in paths.values())
    assert one == other


def test_what_has_an_order_has_it_everywhere(paths: dict[str, Path], specs: dict[str, ObjectSpec]) -> None:
    for machine, spec in specs.items():
        order = MACHINES[machine]
        assert spec.byteorder == order and spec.btf is not None and spec.btf.byteorder == order
        magic = (0xEB9F).to_bytes(2, order)  # type: ignore[arg-type]
        data = paths[machine].read_bytes()
        assert data.count(magic + b"\x01\x00") == 2  # .BTF and .BTF.ext
    little, big = specs["bpfel"], specs["bpfeb"]
    assert little.data[".data"].data == bytes.fromhex("017d 0050 00000000 0700000000000000")
    assert big.data[".data"].data == bytes.fromhex("0be8 0050 00000000 0000000000000007")
    assert little.data[".rodata"].data == big.data[".rodata"].data[::-1] == (300).to_bytes(4, "little")


def test_both_run_alike(specs: dict[str, ObjectSpec]) -> None:
    for spec in specs.values():
        machine = Machine(spec)
        assert machine.run("packet", FRAME).retval == 1001
        ((key, event),) = machine["seen"].items()  # type: ignore[union-attr]
        assert (key, event.low, event.high, event.port, event.n) == (1, 9, 300, 0x0800, 0x0102030405060708)
        machine.run("on_open")
        assert machine["total"].value == 5  # type: ignore[union-attr]


def test_listings_assemble_again(paths: dict[str, Path], specs: dict[str, ObjectSpec], tmp_path: Path,
                                 capfd: pytest.CaptureFixture[str]) -> None:
    for machine, path in paths.items():
        assert main(["dis", str(path)]) == 0
        text = capfd.readouterr().out
        (tmp_path / "again.s").write_text(text)
        assert main(["asm", str(tmp_path / "again.s"), "--target", machine, "-o", str(tmp_path / "again.o")]) == 0
        again = elf.read(str(tmp_path / "again.o"))
        assert again.byteorder == MACHINES[machine] and again.data[".data"].data == specs[machine].data[".data"].data
        for name in ("packet", "on_open"):
            codes = [[i[:5] for i in one.link(name).insns] for one in (again, specs[machine])]
            assert codes[0] == codes[1]


def test_objects_of_one_order_link(specs: dict[str, ObjectSpec]) -> None:
    with pytest.raises(PureBpfError, match="cannot be linked"):
        link([specs["bpfel"], specs["bpfeb"]])


def test_a_skeleton_carries_the_order(paths: dict[str, Path], tmp_path: Path) -> None:
    assert main(["skel", str(paths["bpfeb"]), "-o", str(tmp_path / "one.py")]) == 0
    scope: dict[str, object] = {"__name__": "one"}
    exec((tmp_path / "one.py").read_text(), scope)
    carried = next(v for v in scope.values() if isinstance(v, type) and issubclass(v, Table) and v is not Table)
    assert carried.spec().byteorder == "big"
