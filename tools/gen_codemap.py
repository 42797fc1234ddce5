"""Writes the code map of ARCHITECTURE.md: every file with the first sentence of its docstring."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "ARCHITECTURE.md"
HEADING = "## Code map\n"


def first_sentence(path: Path) -> str:
    text = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0].split())
    end = text.find(". ")
    return (text[:end] if end > 0 else text).rstrip(".").replace("|", "\\|")


def code_map() -> str:
    lines = [HEADING, "Written by `tools/gen_codemap.py` from the docstrings.\n"]
    rooms = sorted({p.parent for p in (ROOT / "purebpf").rglob("*.py")})
    for room in rooms:
        name = room.relative_to(ROOT).as_posix()
        lines.append(f"### {name}/\n")
        door = room / "__init__.py"
        if door.exists():
            lines.append(f"{first_sentence(door)}.\n")
        lines += ["| file | what |", "|---|---|"]
        lines += [f"| {p.name} | {first_sentence(p)} |" for p in sorted(room.glob("*.py")) if p.name != "__init__.py"]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    text = TARGET.read_text()
    TARGET.write_text(text[: text.index(HEADING)] + code_map() if HEADING in text else text + code_map())
    return 0


if __name__ == "__main__":
    sys.exit(main())
