"""Filetests: text in, a command, the exact text out. README.md has the format.

`cases(path)` reads a file, `output(case, section)` runs one command, `python -m tests.filetests.runner --bless [paths]`
writes what the commands give into the files.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from purebpf.errors import PureBpfError

HERE = Path(__file__).parent
SUFFIXES = (".ir", ".py", ".asm")
TEST, ARROW = "# test:", "# ==>"

Command = Callable[[str, list[str]], str]


class Section(NamedTuple):
    """One expectation: the command and its arguments, the text expected, its line in the file (1-based)."""

    command: list[str]
    expected: str
    line: int


class Case(NamedTuple):
    """One input and what commands make of it. `name` counts the cases of a file from 1."""

    name: str
    text: str
    sections: list[Section]
    line: int


def commands() -> dict[str, Command]:
    """Every command of `commands/*.py`, by name."""
    found: dict[str, Command] = {}
    for path in sorted((HERE / "commands").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"filetest_commands_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, command in module.COMMANDS.items():
            assert name not in found, f"command {name} is defined twice"
            found[name] = command
    return found


def is_filetest(path: Path) -> bool:
    if path.suffix not in SUFFIXES or HERE not in path.parents:
        return False
    with path.open(encoding="utf-8") as f:
        return f.readline().startswith(TEST)


def find(roots: list[Path]) -> Iterator[Path]:
    for root in roots:
        for path in [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.suffix in SUFFIXES):
            if is_filetest(path):
                yield path


def cases(path: Path) -> list[Case]:
    out: list[Case] = []
    part: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(TEST):
            _finish(out, part)
            part = []
            out.append(Case(str(len(out) + 1), "", [Section(line[len(TEST):].split(), "", number)], number))
        elif line == ARROW or line.startswith(ARROW + " "):
            case = out[-1]
            arrows = sum(1 for _ in case.sections) if case.text else 0
            extra = line[len(ARROW):].split()
            if not case.text:
                out[-1] = case._replace(text="\n".join(part) + "\n")
            else:
                _finish(out, part)
                case.sections.append(Section(extra or case.sections[0].command, "", number))
            assert arrows == 0 or extra, f"{path}:{number}: a further expectation names its command"
            part = []
        else:
            part.append(line)
    _finish(out, part)
    return out


def _finish(out: list[Case], part: list[str]) -> None:
    """What was read up to here is the expectation of the last section, or the input if there was no arrow."""
    if not out:
        return
    case = out[-1]
    text = "\n".join(part).strip("\n")
    if case.text:
        case.sections[-1] = case.sections[-1]._replace(expected=text)
    else:
        out[-1] = case._replace(text="\n".join(part) + "\n")


def output(table: dict[str, Command], case: Case, section: Section) -> str:
    """What the command makes of the input; a purebpf error is output too."""
    name, *args = section.command
    if name not in table:
        raise AssertionError(f"no filetest command {name!r}; there are {', '.join(sorted(table))}")
    try:
        text = table[name](case.text, args)
    except PureBpfError as e:
        text = f"{type(e).__name__}: {e}"
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def bless(path: Path, table: dict[str, Command]) -> bool:
    """Write the actual output of every section into the file; whether that changed it."""
    lines: list[str] = []
    for case in cases(path):
        lines += [f"{TEST} {' '.join(case.sections[0].command)}", *case.text.strip("\n").splitlines()]
        for i, section in enumerate(case.sections):
            lines.append(ARROW + (f" {' '.join(section.command)}" if i else ""))
            lines += [*output(table, case, section).splitlines(), ""]
    text = "\n".join(lines).rstrip("\n") + "\n"
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        path.write_text(text, encoding="utf-8")
    return changed


def main(argv: list[str]) -> int:
    if "--bless" not in argv:
        print("usage: python -m tests.filetests.runner --bless [paths]   (run the tests with pytest)")
        return 2
    table = commands()
    roots = [Path(a).resolve() for a in argv if a != "--bless"] or [HERE]
    for path in find(roots):
        if bless(path, table):
            print(path.relative_to(HERE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
