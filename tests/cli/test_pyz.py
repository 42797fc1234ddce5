"""purebpf.pyz: one file that compiles, shows and runs programs with nothing else installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_one_file_is_enough(tmp_path: Path) -> None:
    pyz = tmp_path / "purebpf.pyz"
    subprocess.run([sys.executable, str(ROOT / "tools" / "pyz.py"), str(pyz)], check=True, capture_output=True)
    python = [getattr(sys, "_base_executable", sys.executable), "-S"]  # no site-packages: what it needs is inside

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*python, *args], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(pyz)})

    built = run(str(pyz), "build", str(ROOT / "examples" / "openat_count.py"), "-o", "x.o")
    assert built.returncode == 0, built.stderr
    assert "on_openat" in run(str(pyz), "dis", "x.o").stdout
    assert run(str(pyz), "build", "nothing.py").returncode == 1
    (tmp_path / "prog.py").write_text("import purebpf as bpf\n@bpf.xdp\ndef prog(ctx):\n    return 2\n"
                                      "print(prog.simulate(bytes(14)).retval)\n")
    done = run("prog.py")
    assert done.stdout == "2\n", done.stderr
