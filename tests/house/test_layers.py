"""Who may import whom: the table of ARCHITECTURE.md, walked with ast over every import of every module."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "purebpf"

MAY_IMPORT = {  # room -> rooms it may import besides itself, errors and order
    "errors": set(),
    "order": set(),
    "isa": set(),
    "uapi": set(),
    "btf": set(),
    "spec": {"isa", "btf", "uapi", "checks", "elf"},
    "context": {"spec", "btf", "uapi"},
    "readings": {"btf"},
    "vm": {"isa", "spec", "btf", "uapi", "context", "readings"},
    "elf": {"spec", "isa", "btf", "uapi"},
    "dsl": {"uapi", "spec"},  # spec for RunResult, in type annotations only
    "net": {"dsl"},
    "kernel": {"dsl", "btf"},
    "ir": {"btf", "uapi"},
    "tree": {"dsl"},
    "frontend": {"tree", "dsl", "btf", "uapi", "target"},
    "lower": {"tree", "ir", "dsl", "btf", "uapi", "spec"},
    "target": {"uapi"},
    "opt": {"ir"},
    "codegen": {"ir", "isa", "btf", "uapi", "spec"},
    "compiler": {"target", "frontend", "lower", "opt", "codegen", "ir", "spec", "dsl", "btf", "uapi"},
    "assembler": {"whole", "isa", "spec", "btf", "uapi"},
    "linker": {"isa", "spec", "btf"},
    "objects": {"spec", "elf", "linker", "loader", "vm"},
    "skeleton": {"spec", "elf", "btf", "uapi"},
    "checks": {"spec", "isa", "uapi"},
    "whole": {"elf", "isa", "spec", "btf"},
    "listing": {"whole", "isa", "spec", "btf", "uapi"},
    "loader": {"spec", "checks", "isa", "btf", "uapi", "dsl", "context", "readings"},
    "api": {"target", "btf", "compiler", "dsl", "spec", "frontend", "loader", "vm"},
    "cli": None,  # everything
    "__init__": None,
    "__main__": {"cli"},
}
THIRD_PARTY = {"cffi": {"dsl/cdecl.py"}, "ctypes": {"loader/sys.py"}}
LATER = {"annotationlib"}  # of the standard library from 3.14 on
TYPING_ONLY = {"typing_extensions"}  # a type checker has it; imported under TYPE_CHECKING alone

FILES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, absolute module name) of every import, relative ones resolved."""
    package = ["purebpf", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            if module == "purebpf" or (node.level and not node.module):
                found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
            else:
                found.append((node.lineno, module))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT, f"{room} is no room of the table: put it there, and into ARCHITECTURE.md"
    allowed = MAY_IMPORT[room]
    for line, module in imports(path):
        parts = module.split(".")
        if parts[0] == "purebpf":
            other = parts[1] if len(parts) > 1 else "__init__"
            fine = allowed is None or other in allowed | {room, "errors", "order"}
            assert fine, f"{path}:{line}: {room} imports {other}"
        elif parts[0] in THIRD_PARTY:
            assert str(path.relative_to(ROOT)) in THIRD_PARTY[parts[0]], f"{path}:{line}: {module} is not for this file"
        else:
            assert parts[0] in sys.stdlib_module_names | TYPING_ONLY | LATER, f"{path}:{line}: {module} is no dependency"


def test_the_table_has_no_stale_rows() -> None:
    assert set(MAY_IMPORT) == {room_of(p) for p in FILES}


def test_no_dataclasses() -> None:
    """They cost 12 ms to import and half a millisecond each: start-up time is a product figure."""
    users = [str(p) for p in FILES if any(m.split(".")[0] in ("dataclasses", "inspect") for _, m in imports(p))]
    assert not users


def test_no_environment_variables_in_the_library() -> None:
    users = [str(p) for p in FILES if room_of(p) != "cli" and "environ" in p.read_text()]
    assert not users
