"""Makes every filetest a pytest item: `<file>::<case>`, see README.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.filetests import runner


class FileTest(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        for case in runner.cases(self.path):
            yield CaseItem.from_parent(self, name=case.name, case=case)


class Mismatch(Exception):
    pass


class CaseItem(pytest.Item):
    _table: dict[str, runner.Command] = {}

    def __init__(self, *, case: runner.Case, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.case = case

    def runtest(self) -> None:
        if not CaseItem._table:
            CaseItem._table = runner.commands()
        for section in self.case.sections:
            actual = runner.output(CaseItem._table, self.case, section)
            if actual != section.expected:
                raise Mismatch(self.explain(section, actual))

    def explain(self, section: runner.Section, actual: str) -> str:
        import difflib

        diff = difflib.unified_diff(section.expected.splitlines(), actual.splitlines(), "expected", "actual", lineterm="")
        return "\n".join([f"{self.path}:{section.line}: {' '.join(section.command)}", *diff,
                          f"bless: python -m tests.filetests.runner --bless {self.path}"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> object:
        if isinstance(excinfo.value, Mismatch):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, f"{self.path.name}::{self.name}"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FileTest | None:
    return FileTest.from_parent(parent, path=file_path) if runner.is_filetest(file_path) else None


class NoModule(pytest.Module):
    """A `.py` filetest named on the command line is input, not a test module."""

    def collect(self) -> Iterator[pytest.Item]:
        return iter(())


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return NoModule.from_parent(parent, path=module_path) if runner.is_filetest(module_path) else None
