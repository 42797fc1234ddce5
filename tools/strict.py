"""User programs under mypy --strict and pyright in its default mode: `make check` wants no word from either.

Looked at is what is annotated throughout: the examples, and the programs of the corpus whose every function says its types.
No configuration, no plugin: what a user sees who has none.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
MYPY = ["-m", "mypy", "--config-file=", "--strict", "--explicit-package-bases", "--follow-imports=silent", "--no-error-summary"]
PYRIGHT = ["-m", "pyright", "--pythonpath", sys.executable]

APART = {"tests/corpus/control/ranges.py"}  # reads what a loop may not have set, which is what it is about: no checker likes it


def annotated(path: Path) -> bool:
    """Does every function of the file say its types?"""
    functions = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)]
    return bool(functions) and all(f.returns is not None and _noted(f) for f in functions)


def _noted(function: ast.FunctionDef) -> bool:
    a = function.args
    takes = [*a.posonlyargs, *a.args, *a.kwonlyargs]
    return all(p.annotation is not None for p in takes if p.arg not in ("self", "cls"))


def programs() -> list[Path]:
    """The files to look at."""
    corpus = ROOT / "tests" / "corpus"
    return [*sorted((ROOT / "examples").glob("*.py")), *sorted((corpus / "typed").glob("*.py")), *sorted(
        p for p in corpus.glob("*/*.py") if p.parent.name not in ("typed", "mistakes") and str(p.relative_to(ROOT)) not in APART and annotated(p))]


def complaints(command: Iterable[str], files: Iterable[Path], folder: Path = ROOT) -> list[str]:
    """What a checker, started in a folder, says of the files: lines with an error. Raises RuntimeError if it did not run."""
    done = subprocess.run([sys.executable, *command, *map(str, files)], capture_output=True, text=True, cwd=folder)
    found = re.findall(r"^.*(?: error: | - error: ).*$", done.stdout, re.M)
    if done.returncode and not found:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [line.strip().replace(f"{ROOT}/", "") for line in found]


def main() -> int:
    files, bad = programs(), 0
    for name, command in (("mypy --strict", MYPY), ("pyright", PYRIGHT)):
        said = complaints(command, files)
        bad += len(said)
        print(*said, f"{name}: {len(said)} complaints of {len(files)} user programs", sep="\n")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
