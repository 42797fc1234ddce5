"""The four examples in the running kernel and in the VM: accepted at the first try, attached, correct; and their objects
as libbpf's tools see them."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import purebpf as bpf
from purebpf import elf
from purebpf.api import compile_all, module_programs
from purebpf.vm import Machine

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


openat_count, xdp_protocols, exec_events, payload_hash = (
    load_module(ROOT / "examples" / f"{n}.py") for n in ("openat_count", "xdp_protocols", "exec_events", "payload_hash"))


def frame(kind: str, dport: int = 53) -> bytes:
    """An Ethernet frame with a TCP or UDP header over IPv4 or IPv6, with or without a VLAN tag."""
    base, _, tag = kind.partition("+")
    l4 = struct.pack(">HHHH", 4000, dport, 12, 0) + b"data" if base.startswith("udp") else bytes(20)
    number = 17 if base.startswith("udp") else 6
    if base.endswith("6"):
        l3, proto = struct.pack(">IHBB", 6 << 28, len(l4), number, 64) + bytes(32), 0x86DD
    else:
        l3, proto = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), 0, 0, 64, number, 0) + bytes(8), 0x0800
    return bytes(12) + (struct.pack(">HH", 0x8100, 5) if tag else b"") + struct.pack(">H", proto) + l3 + l4


@pytest.mark.kernel
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_verifier_accepts_it_at_once(path: Path) -> None:
    with bpf.load(*module_programs(load_module(path)), attach=False) as k:
        assert k.programs


@pytest.mark.kernel
def test_openat_count() -> None:
    with bpf.load(openat_count.on_openat) as k:
        for _ in range(500):
            open("/dev/null").close()
        assert k[openat_count.calls][os.getpid()] >= 500
        assert k[openat_count.calls].top(1)[0][1] >= 500


@pytest.mark.kernel
def test_exec_events() -> None:
    with bpf.load(exec_events.on_exec) as k:
        child = subprocess.Popen(["/bin/true"])
        child.wait()
        events = [e for e in k[exec_events.events].events(timeout=1) if e.pid == child.pid]
    assert [(e.filename, e.comm, e.ppid, e.uid) for e in events] == [("/bin/true", "true", os.getpid(), os.getuid())]


FRAMES = [frame("tcp"), frame("udp"), frame("udp6"), frame("udp+v", 9999), frame("udp6", 9999), frame("tcp+v"), bytes(14),
          bytes(14) + b"\x45", frame("udp")[:30], frame("tcp6+v"), frame("udp", 9999)[:36]]


def protocols_by_hand(data: bytes) -> tuple[int, int]:
    """(verdict, kind) as a person would say it."""
    at, proto = 14, int.from_bytes(data[12:14], "big")
    if proto == 0x8100 and len(data) >= 18:
        at, proto = 18, int.from_bytes(data[16:18], "big")
    number = 0
    if proto == 0x0800 and len(data) >= at + 20:
        number = data[at + 9]
        at += (data[at] & 15) * 4
    elif proto == 0x86DD and len(data) >= at + 40:
        number = data[at + 6]
        at += 40
    drop = number == 17 and len(data) >= at + 8 and int.from_bytes(data[at + 2 : at + 4], "big") == 9999
    return (1 if drop else 2), {6: 1, 17: 2}.get(number, 0)


@pytest.mark.kernel
def test_xdp_protocols_in_kernel_and_vm() -> None:
    machine = Machine(compile_all(xdp_protocols.protocols).spec)
    want = [0, 0, 0]
    with bpf.load(xdp_protocols.protocols) as k:
        for data in FRAMES:
            verdict, kind = protocols_by_hand(data)
            want[kind] += 1
            assert k[xdp_protocols.protocols].test_run(data).retval == verdict, data.hex()
            assert machine.run(data=data).retval == verdict, data.hex()
        assert [k[xdp_protocols.stats][i].sum().packets for i in range(3)] == want
        assert [machine.maps["stats"][i][0].packets for i in range(3)] == want


@pytest.mark.kernel
def test_xdp_constant_can_be_set_when_loading() -> None:
    with bpf.load(xdp_protocols.protocols, constants={xdp_protocols.blocked_port: 53}) as k:
        assert k[xdp_protocols.protocols].test_run(frame("udp", 53)).retval == 1
        assert k[xdp_protocols.protocols].test_run(frame("udp", 9999)).retval == 2


@pytest.mark.kernel
def test_payload_hash_is_what_cpython_says() -> None:
    r = random.Random(1)
    machine = Machine(compile_all(payload_hash.hash_payload).spec)
    with bpf.load(payload_hash.hash_payload) as k:
        for size in (0, 1, 2, 3, 63, 64, 200, 255, 256, 257, 900):
            payload = r.randbytes(size)
            k[payload_hash.hash_payload].test_run(bytes(14) + payload)
            machine.run(data=bytes(14) + payload)
            want = payload_hash.payload_hash(payload)
            assert k[payload_hash.last_hash].value == want == machine.vars["last_hash"], size


@pytest.mark.kernel
def test_simulate_and_test_run_give_the_same() -> None:
    for data in FRAMES[:3]:
        a, b = xdp_protocols.protocols.simulate(data), xdp_protocols.protocols.test_run(data)
        assert (a.retval, a.data) == (b.retval, b.data)


# --- the objects, for others -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("objects")
    for path in EXAMPLES:
        done = subprocess.run([sys.executable, "-m", "purebpf", "build", str(path), "-o", str(folder / f"{path.stem}.o")],
                              capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
    return {p.stem: folder / f"{p.stem}.o" for p in EXAMPLES}


def in_private_bpffs(script: str) -> subprocess.CompletedProcess[str]:
    """A shell script with a bpffs of its own at /sys/fs/bpf."""
    return subprocess.run(["unshare", "-m", "sh", "-ec", "mount -t bpf bpf /sys/fs/bpf\n" + script], capture_output=True, text=True)


@pytest.mark.kernel
@pytest.mark.parametrize("name", [p.stem for p in EXAMPLES])
def test_libbpf_loads_the_object(name: str, objects: dict[str, Path]) -> None:
    done = in_private_bpffs(f"bpftool prog loadall {objects[name]} /sys/fs/bpf/x\nls /sys/fs/bpf/x")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()


@pytest.mark.kernel
@pytest.mark.parametrize("name", [p.stem for p in EXAMPLES])
def test_our_loader_takes_the_object_back(name: str, objects: dict[str, Path]) -> None:
    from purebpf.loader import load

    spec = elf.read(str(objects[name]))
    with load(spec) as k:
        assert list(k.programs) == list(spec.programs)


@pytest.mark.kernel
def test_bpftool_prints_map_values_with_field_names(objects: dict[str, Path]) -> None:
    done = in_private_bpffs(f"bpftool prog loadall {objects['xdp_protocols']} /sys/fs/bpf/x pinmaps /sys/fs/bpf/m\n"
                            "bpftool -j map dump pinned /sys/fs/bpf/m/stats")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    assert rows[0]["formatted"]["values"][0]["value"] == {"packets": 0, "bytes": 0}


@pytest.mark.parametrize("name", [p.stem for p in EXAMPLES])
def test_other_tools_read_the_object(name: str, objects: dict[str, Path]) -> None:
    dump = subprocess.run(["bpftool", "btf", "dump", "file", str(objects[name])], capture_output=True, text=True)
    assert dump.returncode == 0 and "FUNC" in dump.stdout
    listing = subprocess.run(["llvm-objdump-19", "-d", str(objects[name])], capture_output=True, text=True)
    assert listing.returncode == 0 and "<unknown>" not in listing.stdout


def test_every_instruction_has_a_source_line() -> None:
    for path in EXAMPLES:
        for program in module_programs(load_module(path)):
            spec = compile_all(program).spec
            for func in (*(p.func for p in spec.programs.values()), *spec.functions.values()):
                assert func.lines and func.lines[0].insn == 0
                text = path.read_text().splitlines()
                assert all(line.text == text[line.line - 1] for line in func.lines)


def test_the_same_source_gives_the_same_bytes() -> None:
    for path in EXAMPLES:
        one, two = (elf.write(compile_all(*module_programs(load_module(path))).spec) for _ in range(2))
        assert one == two
