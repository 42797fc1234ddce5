"""How commands show lists of things: a table with headers, or JSON."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")


def show(rows: Iterable[Row], as_json: bool) -> None:
    """Each key is a column, in the order of the first row that has it. Numbers are set to the right."""
    listed = list(rows)
    if as_json:
        import json

        print(json.dumps(listed, default=_plain))
        return
    columns = list(dict.fromkeys(key for row in listed for key in row))
    cells = [[_cell(row.get(column)) for column in columns] for row in listed]
    widths = [max(len(text) for text in column) for column in zip(columns, *cells)]
    right = [all(isinstance(row.get(column), int | float | None) for row in listed) for column in columns]
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for n, line in enumerate([[c.replace("_", " ").upper() for c in columns], *cells] if listed else []):
        text = "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(line, widths, right)).rstrip()
        print(f"\x1b[1m{text}\x1b[0m" if bold and not n else text)


def details(row: Row, as_json: bool) -> None:
    """One thing: a line for each field that says something."""
    if as_json:
        import json

        print(json.dumps(row, default=_plain))
        return
    shown = {key.replace("_", " "): _cell(value) for key, value in row.items()}
    width = max(map(len, shown))
    for key, text in shown.items():
        if text:
            print(f"{key:<{width}}  {text}")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(map(_cell, value))
    return value.hex() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    from ..btf.record import plain

    got = plain(value)
    if isinstance(got, bytes | bytearray):
        return bytes(got).hex()
    return str(got) if got is value else got
