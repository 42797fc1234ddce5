"""User programs under mypy: what is right passes, what is wrong is an error on its line, before anything compiles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def mypy(*files: Path) -> list[tuple[str, int, str]]:
    """(file, line, code) of each error, in mypy's default mode."""
    done = subprocess.run([sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "--no-error-summary",
                           *map(str, files)], capture_output=True, text=True, cwd=HERE.parents[1])
    found = re.findall(r"^(.+?):(\d+): error: .*?(?:\[([a-z-]+)\])?$", done.stdout, re.M)
    return [(Path(name).name, int(line), code) for name, line, code in found]


def test_user_program() -> None:
    file = HERE / "user.py"
    wanted = [("user.py", n, m[1]) for n, line in enumerate(file.read_text().splitlines(), 1)
              if (m := re.search(r"# error: ([a-z-]+)", line))]
    assert mypy(file) == wanted


def test_vocabulary_is_typed_without_stubs() -> None:
    root = HERE.parents[1] / "purebpf"
    assert (root / "py.typed").exists() and not list(root.rglob("*.pyi"))
