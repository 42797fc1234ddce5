"""`purebpf stat FILE…`: what the verifier says of each program, loaded by itself; as a table, as CSV, beside an earlier run."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, VerifierError
from .output import add_json, show

if TYPE_CHECKING:
    from ..spec import ObjectSpec

NUMBERS = ("instructions", "verified", "states", "peak_states", "stack", "load_us")
KEYS = ("file", "program")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="Python files, objects or assembly")
    parser.add_argument("--program", action="append", default=[], metavar="NAME", help="only these")
    parser.add_argument("--sort", choices=NUMBERS, help="most first (default: as in the files)")
    parser.add_argument("--csv", metavar="FILE", help="write it there too, for --diff (- is standard output, instead of a table)")
    parser.add_argument("--diff", metavar="FILE", help="how it differs from an earlier run's --csv; exit 1 if a program is refused that was not")
    add_json(parser)
    parser.epilog = "examples: purebpf stat xdp.o    purebpf stat xdp.o --csv before.csv    purebpf stat xdp.o --diff before.csv"


def run(args: argparse.Namespace) -> int:
    before = _read(args.diff) if args.diff else {}
    rows = [row for path in args.files for row in _of_file(path, args.program)]
    if args.program and not rows:
        raise FormatError(f"no program of these is called {' or '.join(args.program)}")
    if args.sort:
        rows.sort(key=lambda row: row[args.sort] or 0, reverse=True)
    if args.csv:
        _write(args.csv, rows)
    if args.csv != "-":
        show(_compared(rows, before) if args.diff else rows, args.json)
    return int(any(row["verdict"] == "refused" and old["verdict"] == "accepted"
                   for row in rows if (old := before.get((row["file"], row["program"])))))


def _of_file(path: str, wanted: list[str]) -> Iterator[dict[str, Any]]:
    import os

    from .program import read_object

    spec = read_object(path)
    for name, program in spec.programs.items():
        if program.prog_type and (not wanted or name in wanted):
            yield {"file": os.path.basename(path), "program": name, **_of_program(spec, name)}


def _of_program(spec: ObjectSpec, name: str) -> dict[str, Any]:
    import time

    from ..loader import load

    size = sum(insn.slots for insn in spec.link(name).insns)
    chosen = {other: other == name for other in spec.programs}
    start = time.monotonic()
    try:
        with load(spec, autoload=chosen, log_level=4) as k:
            spent, log, verdict = time.monotonic() - start, k.programs[name].log, "accepted"
            size = len(k.programs[name].info.xlated) // 8
    except VerifierError as error:
        spent, log, verdict = time.monotonic() - start, error.log, "refused"
    return {"verdict": verdict, "instructions": size, **parse(log), "load_us": _number(r"verification time (\d+)", log) or round(spent * 1e6)}


def parse(log: str) -> dict[str, int | None]:
    """The statistics at the end of a verifier's log; None where it does not tell."""
    stack = re.search(r"stack depth ([\d+]+)", log)
    return {"verified": _number(r"processed (\d+) insns", log), "states": _number(r"total_states (\d+)", log),
            "peak_states": _number(r"peak_states (\d+)", log),
            "stack": sum(map(int, stack[1].strip("+").split("+"))) if stack else None}


def _number(pattern: str, log: str) -> int | None:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else None


def _write(path: str, rows: list[dict[str, Any]]) -> None:
    with open(path if path != "-" else sys.stdout.fileno(), "w", newline="", encoding="utf-8", closefd=path != "-") as file:
        table = csv.DictWriter(file, [*KEYS, "verdict", *NUMBERS], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _read(path: str) -> dict[tuple[str, str], dict[str, Any]]:
    with open(path, newline="", encoding="utf-8") as file:
        try:
            if next(file, "").strip().split(",") != [*KEYS, "verdict", *NUMBERS]:
                raise ValueError
            file.seek(0)
            return {(row["file"], row["program"]): {"verdict": row["verdict"], **{n: int(row[n]) if row[n] else None for n in NUMBERS}}
                    for row in csv.DictReader(file)}
        except (KeyError, ValueError, csv.Error):
            raise FormatError("no figures as purebpf stat --csv writes them", source=path) from None


def _compared(rows: list[dict[str, Any]], before: dict[tuple[str, str], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Numbers of now, and their changes where there are some."""
    now = {(row["file"], row["program"]): row for row in rows}
    for key, row in now.items():
        old = before.get(key)
        made: dict[str, Any] = {**dict(zip(KEYS, key)), "verdict": row["verdict"] if old is None or old["verdict"] == row["verdict"]
                                else f"{old['verdict']} -> {row['verdict']}"}
        for name in NUMBERS:
            made[name] = row[name]
            if name != "load_us":
                made[f"{name}_change"] = "new" if old is None else _change(old[name], row[name])
        yield made
    for key in before.keys() - now.keys():
        yield {**dict(zip(KEYS, key)), "verdict": f"{before[key]['verdict']} -> gone"}


def _change(old: int | None, new: int | None) -> str:
    if old is None or new is None or old == new:
        return ""
    return f"{new - old:+} ({100 * (new - old) / old:+.1f}%)" if old else f"{new:+}"
