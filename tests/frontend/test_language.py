"""Every block of docs/language.md is what it says: what it shows compiles, its rules hold, and what it refuses is refused."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from purebpf.api import compile_all, module_programs
from purebpf.dsl.hooks import Program
from purebpf.errors import CompileError

PAGE = Path(__file__).parents[2] / "docs/language.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
REFUSED = re.compile(r"# error: (.*)")


def module(number: int) -> ModuleType:
    name = f"language_{number}"
    text = BLOCKS[number]
    linecache.cache[f"<{name}>"] = (len(text), None, text.splitlines(True), f"<{name}>")
    made = ModuleType(name)
    made.__file__ = f"<{name}>"
    sys.modules[name] = made
    exec(compile(text, f"<{name}>", "exec"), made.__dict__)
    return made


def said(programs: list[Program[..., object]]) -> list[tuple[int, str]]:
    """The line and the whole of each error."""
    try:
        compile_all(*programs)
    except CompileError as error:
        return sorted((d.span.line, d.render()) for d in error.diagnostics)
    return []


def rules(made: ModuleType) -> list[Program[..., object]]:
    """The programs that say by 'assert' what holds, and give 1 if it does."""
    return [p for p in module_programs(made) if p.section == "syscall" and "assert" in inspect.getsource(p.function)]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block(number: int) -> None:
    made = module(number)  # a block's own asserts hold
    lines = BLOCKS[number].splitlines()
    wanted = {n: found[1] for n, line in enumerate(lines, 1) if (found := REFUSED.search(line))}
    errors = said(module_programs(made))
    assert [line for line, _ in errors] == list(wanted), errors
    assert all(wanted[line] in text for line, text in errors), errors


@pytest.mark.kernel
@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_rules_hold(number: int) -> None:
    for program in rules(module(number)):
        assert program.simulate().retval == 1, f"{program.name} in the VM"
        assert program.test_run().retval == 1, f"{program.name} in the kernel"
