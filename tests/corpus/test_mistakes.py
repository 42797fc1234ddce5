"""Newcomers' mistakes: each is found at its place, said in the user's words, and the advice works when it is followed.

A file of mistakes/ holds cases, each below a line `# --- name`. A wrong line ends with what must be said of it:

    v.value += 1        # error[null-pointer] v: 'v' may be None; if v is not None
                        # fixed: if v is not None: v.value += 1

`error[code] place: phrases`: the code (alternatives with |), the text at which the caret stands (alternatives with |; the
last occurrence is `^text`), a phrase of the headline, and after each `;` one of the whole message. Exactly the marked lines
are wrong. `fixed:` lines replace the wrong one (`fixed: -` removes it), an `also:` line the one before it, and the program
must then compile.
What is not so yet stands in mistakes/pending.txt, and must leave it when it passes.
"""

from __future__ import annotations

import linecache
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from purebpf.api import compile_all, module_programs
from purebpf.errors import CompileError, Diagnostic

from .pending import pending

HERE = Path(__file__).parent / "mistakes"
PRELUDE = "import purebpf as bpf\nfrom purebpf import *\n"
FILE = "mistake.py"
MARK = re.compile(r"^(.*?)\s*# error\[([^\]]+)\] ([^:]*): (.+)$")
FIX = re.compile(r"^\s*# fixed: ?(.*)$")
ALSO = re.compile(r"^\s*# also: (.*)$")


class Mark(NamedTuple):
    """What must be said about a line (1-based, the prelude included)."""

    line: int
    codes: list[str]
    places: list[str]
    phrases: list[str]


class Case(NamedTuple):
    text: str
    fixed: str  # "" if the case says no corrected form
    marks: list[Mark]


def parse(lines: list[str]) -> Case:
    text, fixed, marks, has_fix = PRELUDE.splitlines(), PRELUDE.splitlines(), [], False
    for line in lines:
        fix = FIX.match(line)
        found = MARK.match(line)
        if also := ALSO.match(line):
            fixed[-1] = " " * (len(text[-1]) - len(text[-1].lstrip())) + also[1]
            continue
        if fix:
            if not has_fix or fixed[-1] == "<wrong>":
                fixed = [one for one in fixed if one != "<wrong>"]
            has_fix = True
            indent = len(text[-1]) - len(text[-1].lstrip())
            fixed += [] if fix[1] == "-" else [" " * indent + fix[1]]
            continue
        if found:
            code = found[1]
            text.append(code)
            fixed.append("<wrong>")
            marks.append(Mark(len(text), found[2].split("|"), found[3].split("|"), [p.strip() for p in found[4].split(";")]))
        else:
            text.append(line)
            fixed.append(line)
    if "<wrong>" in fixed or not has_fix:
        return Case("\n".join(text) + "\n", "", marks)
    return Case("\n".join(text) + "\n", "\n".join(fixed) + "\n", marks)


def cases() -> dict[str, Case]:
    found: dict[str, list[str]] = {}
    for path in sorted(HERE.glob("*.py")):
        lines: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# --- "):
                name = f"{path.stem}/{line[6:].strip()}"
                assert name not in found, f"{name} is there twice"
                lines = found[name] = []
            else:
                lines.append(line)
    return {name: parse(lines) for name, lines in found.items()}


def diagnostics(text: str) -> list[Diagnostic]:
    linecache.cache[FILE] = (len(text), None, text.splitlines(True), FILE)
    module = ModuleType("mistake")
    sys.modules[module.__name__] = module
    exec(compile(text, FILE, "exec", dont_inherit=True), module.__dict__)
    try:
        compile_all(*module_programs(module))
    except CompileError as error:
        return list(error.diagnostics)
    return []


def columns(mark: Mark, line: str) -> list[int]:
    """Where the caret may stand, from 0."""
    out = [line.rfind(p[1:]) if p.startswith("^") else line.find(p) for p in mark.places]
    assert -1 not in out, f"{mark.places} is not in {line!r}"
    return out


def judge(case: Case) -> None:
    said = diagnostics(case.text)
    lines = case.text.splitlines()
    assert [d.span.line for d in said] == [m.line for m in case.marks], [d.render() for d in said]
    for mark, d in zip(case.marks, said):
        whole = d.render()
        assert d.code in mark.codes or mark.codes == ["*"], whole
        assert d.span.col in columns(mark, lines[mark.line - 1]), whole
        assert mark.phrases[0] in d.message, f"no {mark.phrases[0]!r} in the headline:\n{whole}"
        for phrase in mark.phrases[1:]:
            assert phrase in whole, f"no {phrase!r} in\n{whole}"
    if case.fixed:
        left = diagnostics(case.fixed)
        assert not left, "the corrected program is refused:\n" + "\n".join(d.render() for d in left)


CASES = cases()
WAITING = pending("mistakes/pending.txt")


@pytest.mark.parametrize("name", CASES)
def test_mistake(name: str) -> None:
    try:
        judge(CASES[name])
    except Exception:
        if name not in WAITING:
            raise
        pytest.xfail(WAITING[name][1])
    if name in WAITING:
        pytest.fail(f"{name} passes now: delete its line in mistakes/pending.txt")


def test_pending_names_cases() -> None:
    assert not set(WAITING) - set(CASES)


def test_enough() -> None:
    assert len(CASES) >= 250
