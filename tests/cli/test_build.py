"""`purebpf build` and `purebpf ir`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from purebpf import elf
from purebpf.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "examples" / "xdp_protocols.py")


def test_build_writes_an_object(tmp_path: Path, capsys: object) -> None:
    out = tmp_path / "x.o"
    assert main(["build", EXAMPLE, "-o", str(out), "--stats"]) == 0
    spec = elf.read(str(out))
    assert list(spec.programs) == ["protocols"] and list(spec.maps) == ["stats"]
    assert spec.programs["protocols"].section == "xdp" and spec.license == "GPL"
    assert spec.data[".rodata"].vars[0].name == "blocked_port"


def test_build_of_several_files_into_a_folder(tmp_path: Path) -> None:
    files = sorted(map(str, (ROOT / "examples").glob("*.py")))
    assert main(["build", *files, "-o", str(tmp_path / "out")]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(Path(f).stem + ".o" for f in files)


def test_build_does_not_depend_on_the_instruction_set_for_its_meaning(tmp_path: Path) -> None:
    from purebpf.vm import Machine

    results = []
    for cpu in "1234":
        out = tmp_path / f"{cpu}.o"
        assert main(["build", str(ROOT / "examples" / "payload_hash.py"), "--cpu", cpu, "-o", str(out)]) == 0
        machine = Machine(elf.read(str(out)))
        machine.run(data=bytes(range(100)))
        results.append(machine.vars["last_hash"])
    assert len(set(results)) == 1


def test_licence_reaches_the_object(tmp_path: Path) -> None:
    out = tmp_path / "x.o"
    assert main(["build", EXAMPLE, "-o", str(out), "--license", "Dual MIT/GPL"]) == 0
    assert elf.read(str(out)).license == "Dual MIT/GPL"


def test_ir_shows_the_program_after_a_pass(capfd: object) -> None:
    done = subprocess.run([sys.executable, "-m", "purebpf", "ir", EXAMPLE, "--after", "frontend"], capture_output=True, text=True,
                          cwd=ROOT)
    assert done.returncode == 0 and "func @protocols(%ctx: ptr.ctx)" in done.stdout
    timed = subprocess.run([sys.executable, "-m", "purebpf", "ir", EXAMPLE, "--time"], capture_output=True, text=True, cwd=ROOT)
    assert "ms  simplify" in timed.stdout
    wrong = subprocess.run([sys.executable, "-m", "purebpf", "ir", EXAMPLE, "--after", "nonsense"], capture_output=True, text=True,
                           cwd=ROOT)
    assert wrong.returncode == 1 and "no pass is called 'nonsense'" in wrong.stderr
