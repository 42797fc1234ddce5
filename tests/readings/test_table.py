"""Readings of whole maps: of plain dicts here, of live maps in tests/vm/test_protocol.py."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebpf.btf.percpu import PerCpu
from purebpf.errors import FormatError, PureBpfError
from purebpf.readings.table import Change, Readings, changes


class Table(Readings, dict[Any, Any]):
    """A dict with the readings of a map."""


NUMBERS = st.dictionaries(st.integers(0, 5), st.integers(-3, 3))


@given(NUMBERS, NUMBERS)
def test_changes_lead_from_one_snapshot_to_the_other(before: dict[int, int], after: dict[int, int]) -> None:
    found = changes(before, after)
    made = dict(before)
    for key, old, new in found:
        assert before.get(key) == old and after.get(key) == new and old != new
        if new is None:
            del made[key]
        else:
            made[key] = new
    assert made == after and len({c.key for c in found}) == len(found)
    assert all(c.delta == (c.after or 0) - (c.before or 0) for c in found)


def test_how_much_a_change_is() -> None:
    assert Change(1, None, PerCpu([1, 2])).delta == 3 and Change(1, PerCpu([1, 2]), PerCpu([4, 2])).delta == 3
    assert Change(1, [1, 2], [3, 2]).delta == [2, 0] and Change(1, [1, 2], None).delta == [-1, -2]
    assert Change(1, "a", "b").delta is None and Change(1, 2.5, 3.0).delta == 0.5


def test_text_for_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table({"a": [1, 2], 7: b"\x01\xff"})
    assert json.loads(table.to_json()) == [["a", [1, 2]], [7, "01ff"]]
    assert "\n" in table.to_json(indent=1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PureBpfError, match="needs pandas"):
        table.to_pandas()


def test_a_histogram_wants_slots_and_counts() -> None:
    assert Table({2: 3, 4: PerCpu([1, 1])}).histogram().counts == {2: 3, 4: 2}
    table = Table({("a", 1): 5, ("b", 1): 7, ("b", 2): 1})
    with pytest.raises(FormatError, match="slot="):
        table.histogram()
    assert table.histogram(slot=lambda key: key[1]).counts == {1: 12, 2: 1}
    assert table.histogram(10, slot=lambda key: key[1] if key[0] == "b" else None).counts == {1: 7, 2: 1}
    with pytest.raises(FormatError, match="slot="):
        Table({1: "text"}).histogram()


def test_values_of_cpus_reduce_by_member() -> None:
    assert PerCpu([1, 4]).max() == 4 and PerCpu([1, 4]).min() == 1 and PerCpu([1, 4]).mean() == 2.5
    assert PerCpu([[1, 9], [4, 2]]).max() == [4, 9] and PerCpu([[1, 9], [4, 2]]).mean() == [2.5, 5.5]
    assert PerCpu(["x", "y"]).sum() == "x"
