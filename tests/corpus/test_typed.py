"""User programs as type checkers see them: nothing to complain of in mypy's strictest mode and in pyright, without a plugin."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_strict", ROOT / "tools" / "strict.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


strict = load()


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_strict(checker: str) -> None:
    command = strict.MYPY if checker == "mypy" else strict.PYRIGHT
    assert not strict.complaints(command, strict.programs())


def test_enough() -> None:
    typed = ROOT / "tests" / "corpus" / "typed"
    assert all(strict.annotated(p) for p in typed.glob("*.py")), "a program of typed/ says all its types"
    assert len(list(typed.glob("*.py"))) >= 20


def test_a_complaint_is_heard(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import purebpf as bpf\n\n\n@bpf.xdp\ndef program(ctx: bpf.XdpContext) -> bpf.XdpAction:\n    return 7\n")
    for command in (strict.MYPY, strict.PYRIGHT):
        assert len(strict.complaints(command, [wrong])) == 1


def test_in_a_project_of_ones_own(tmp_path: Path) -> None:
    """Installed, purebpf is found and typed: a hook that imports it would be none to a checker."""
    mine = tmp_path / "mine.py"
    mine.write_text((ROOT / "tests" / "corpus" / "typed" / "user.py").read_text())
    for command in (strict.MYPY, strict.PYRIGHT):
        assert not strict.complaints(command, [mine], tmp_path)
