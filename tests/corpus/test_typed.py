"""The programs of typed/ as a type checker sees them: nothing to complain of, in its strictest mode, without a plugin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMMAND = ["-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent", "--no-error-summary"]


WAITING = {"events": "arrays as fields are not yet typed", "tables": "pointers to numbers are not yet typed",
           "user": "pointers and arrays as fields are not yet typed"}
FILES = sorted((HERE / "typed").glob("*.py"))


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What mypy says of all of them, at once: starting it is what takes the time."""
    done = subprocess.run([sys.executable, *COMMAND, *map(str, FILES)], capture_output=True, text=True, cwd=HERE.parents[1])
    return re.findall(r"^.+: error: .+$", done.stdout, re.M)


@pytest.mark.parametrize("name", [
    pytest.param(f.stem, marks=[pytest.mark.xfail(reason=WAITING[f.stem], strict=True)] if f.stem in WAITING else []) for f in FILES])
def test_strict(name: str, complaints: list[str]) -> None:
    assert not [line for line in complaints if f"/{name}.py:" in line]
