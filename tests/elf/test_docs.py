"""Every block of docs/objects.md and docs/btf.md runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.elf.clang import compile

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(name: str) -> list[tuple[str, str]]:
    return BLOCK.findall((DOCS / name).read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the objects of the documents' sources."""
    sources = next(text for kind, text in blocks("objects.md") if kind == "c")
    parts = re.split(r"^// (\w+)\.c\n", sources, flags=re.MULTILINE)[1:]
    for name, text in zip(parts[::2], parts[1::2]):
        compile(tmp_path, name, text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["objects.md", "btf.md"])
def test_every_block_runs(name: str, folder: Path) -> None:
    ran = 0
    for kind, text in blocks(name):
        if kind == "python":
            exec(compile_block(text, name), {"__name__": "__doc__"})
        elif kind == "sh":
            for line in text.splitlines():
                script = line.replace("purebpf ", f"{sys.executable} -m purebpf ", 1)
                done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False,
                                      env={**os.environ, "PYTHONPATH": str(DOCS.parent)})
                assert done.returncode == 0, (line, done.stdout[-300:], done.stderr[-1000:])
        ran += kind in ("python", "sh")
    assert ran > 3
    if name == "objects.md":
        assert (folder / "again.o").read_bytes() == (folder / "both.o").read_bytes()


def compile_block(text: str, name: str) -> object:
    import builtins

    return builtins.compile(text, name, "exec")
