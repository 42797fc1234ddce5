"""The tables are complete: every row has what its readers need."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from purebpf.ir.ops import INVERSE, NARROW, SWAPPED, TABLE

ROOT = Path(__file__).parents[2]


def test_every_pure_integer_op_has_an_evaluator() -> None:
    for row in TABLE.values():
        if row.pure and row.result == "i64" and set(row.args) <= {"i", "a"} and row.args and row.name != "ptrdiff" and not row.same:
            assert row.evaluate is not None, row
        assert row.doc


def test_comparison_tables_are_involutions() -> None:
    assert all(INVERSE[INVERSE[row]] is row and SWAPPED[SWAPPED[row]] is row for row in INVERSE)
    assert all(narrow.name == wide.name + "32" for wide, narrow in NARROW.items())


def test_every_pass_has_filetests() -> None:
    pipeline = importlib.import_module("purebpf.opt.pipeline")
    for name in {*pipeline.PASSES, *pipeline.MODULE_PASSES}:
        folder = ROOT / "tests/filetests/opt" / name
        assert any(folder.glob("*.ir")), f"no filetest shows what {name} does"


def test_every_example_is_short_and_explained() -> None:
    for path in (ROOT / "examples").glob("*.py"):
        text = path.read_text()
        assert text.count("\n") <= 60 and text.startswith('"""'), path


def test_every_word_of_the_language_has_a_row() -> None:
    callables = importlib.import_module("purebpf.frontend.callables")
    flow = importlib.import_module("purebpf.dsl.flow")
    words = {name: word for name, word in vars(flow).items() if isinstance(word, flow.Word)}
    assert words and not [name for name, word in words.items() if callables.function(word) is None]
    assert [word.name for word in words.values()] == list(words)


def test_every_row_says_what_it_takes() -> None:
    callables = importlib.import_module("purebpf.frontend.callables")
    for row in (*callables.FUNCTIONS.values(), *callables.METHODS.values()):
        assert row.fewest <= row.most and len(set(row.names)) == len(row.names)
        later = [default for default in row.defaults if default is not None]
        assert row.defaults[len(row.defaults) - len(later):] == later, "a default with a value stands behind those without"


def test_every_mutant_can_be_planted() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    import mutants

    lost = [(m.file, m.old) for m in mutants.TABLE if (ROOT / "purebpf" / m.file).read_text().count(m.old) != 1]
    assert not lost and len(mutants.TABLE) >= 60
