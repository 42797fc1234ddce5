"""docs/isa.md is what the table says; the examples of docs/assembler.md assemble."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from purebpf.assembler import assemble_object

ROOT = Path(__file__).parents[2]


def test_tables_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("gen_isa_docs", ROOT / "tools" / "gen_isa_docs.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = (ROOT / "docs" / "isa.md").read_text()
    assert tool.document(text) == text, "run python tools/gen_isa_docs.py"


def test_the_example_assembles() -> None:
    text = (ROOT / "docs" / "assembler.md").read_text()
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    assert list(assemble_object(blocks[0]).programs) == ["count"]


def test_the_python_examples_run() -> None:
    text = (ROOT / "docs" / "isa.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/isa.md", "exec"), {})
