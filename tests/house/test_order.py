"""Byte order is known in `order.py` and in the readers and writers of `isa` and `btf`; all else asks the target's `Order`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "purebpf"
KNOWS = ("order.py", "isa/", "btf/")  # the two formats have parameters `byteorder`, by name
FILES = [p for p in sorted(ROOT.rglob("*.py")) if not str(p.relative_to(ROOT)).startswith(KNOWS)]
NAMES = {"little", "big"}
MARK = re.compile(r"[<>](\d*[xcbB?hHiIlLqQsp])+\Z")  # of `struct`, with an order


def said(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what) of every byte order that is written down, or taken from the machine."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value in NAMES or MARK.match(node.value):
                yield node.lineno, repr(node.value)
        elif isinstance(node, ast.Attribute) and node.attr == "byteorder" and isinstance(node.value, ast.Name) and node.value.id == "sys":
            yield node.lineno, "sys.byteorder"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "int.from_bytes" and len(node.args) < 2:
            yield node.lineno, "a number of bytes in no order"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".to_bytes") and len(node.args) == 1:
            yield node.lineno, "bytes of a number in no order"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_says_an_order(path: Path) -> None:
    found = [f"{path}:{line}: {what}" for line, what in said(ast.parse(path.read_text()))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["x.to_bytes(4, 'little')", "int.from_bytes(b, 'big')", "struct.pack('<I', 1)", "Struct('>4sH')",
                                  "sys.byteorder", "def f(order='little'): ...", "n.to_bytes(4)"])
def test_what_is_looked_for_is_found(text: str) -> None:
    assert list(said(ast.parse(text)))
