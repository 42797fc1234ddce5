"""The table of map types: every type of the kernel has a row, every way of access a class."""

from __future__ import annotations

from typing import get_args

from purebpf.loader.livemaps import CLASSES
from purebpf.loader.maptypes import ROWS, Access, row
from purebpf.uapi.enums import MapType, names

UNDECLARED = {"UNSPEC", "RHASH"}  # the second: of no released kernel


def test_every_type_has_a_row() -> None:
    known = {r.type for r in ROWS}
    assert {name for number, name in names(MapType).items() if number not in known} <= UNDECLARED, "give it a row in maptypes.py"
    assert len(known) == len(ROWS)


def test_every_access_has_a_class_and_a_type() -> None:
    assert set(CLASSES) == set(get_args(Access)) == {r.access for r in ROWS}


def test_rows_agree_with_themselves() -> None:
    for r in ROWS:
        assert (r.probe.key == 0) == (r.keys == "none") or r.type == MapType.STRUCT_OPS, r
        assert r.keys != "index" or r.probe.key == 4, r
        assert r.ring == (r.values == "records" and r.keys == "none"), r
    assert row(999).access == "keyed"
