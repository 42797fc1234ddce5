"""What the documentation shows compiles; what it lists exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from purebpf import net
from purebpf.cli.program import compile_file

ROOT = Path(__file__).parents[2]
BLOCKS = [text for text in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S) if "@bpf." in text]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_programs_of_the_readme_compile(block: str, tmp_path: Path) -> None:
    file = tmp_path / "shown.py"
    file.write_text(block)
    assert compile_file(str(file)).spec.programs


def test_headers_are_documented_as_they_are() -> None:
    text = (ROOT / "docs/language.md").read_text()
    for name in net.__all__:
        layout = getattr(getattr(net, name), "__bpf_layout__", None)
        fields = ", ".join(f"`{f.name}: {f.type.name}`" for f in layout.fields) if layout else ""
        assert (f"| `{name}` | {layout.size} | {fields} |" if layout else f"`{name}`") in text


def test_a_star_import_of_net_brings_headers_and_constants_alone() -> None:
    public = {n for n, v in vars(net).items() if isinstance(v, int) or getattr(v, "__module__", "") == net.__name__}
    assert set(net.__all__) == public


def codes_of(*rooms: str) -> set[str]:
    source = "".join(p.read_text() for room in rooms for p in (ROOT / "purebpf" / room).rglob("*.py"))
    return set(re.findall(r'\.error\(\s*"([a-z-]+)"', source)) | set(re.findall(r'Diagnostic\(\s*"([a-z-]+)"', source))


def test_every_diagnostic_code_is_documented() -> None:
    documented = set(re.findall(r"[a-z-]+", (ROOT / "docs/errors.md").read_text()))
    assert not codes_of("frontend", "codegen", "cli") - documented


def test_every_code_of_the_compiler_has_a_filetest() -> None:
    shown = "".join(p.read_text() for p in (ROOT / "tests/filetests/errors").glob("*.py"))
    assert codes_of("frontend", "codegen") - {"no-source"} <= set(re.findall(r"error\[([a-z-]+)\]", shown))
