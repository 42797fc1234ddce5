"""`purebpf top`: which programs run how often and how long, measured over an interval."""

from __future__ import annotations

import argparse
import time
from typing import Any

from .output import add_json, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--interval", type=float, default=1.0, metavar="SECONDS", help="how long to measure (default 1)")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="stop after so many (default: at Ctrl-C)")
    parser.add_argument("--sort", choices=("time", "runs", "average"), default="time")
    add_json(parser)
    parser.epilog = "examples: purebpf top    purebpf top --count 1 --interval 5 --json"


def run(args: argparse.Namespace) -> int:
    import sys

    from ..loader import statistics

    with statistics():
        before, at, done = _counts(), time.monotonic(), 0
        while not args.count or done < args.count:
            time.sleep(args.interval)
            after, now = _counts(), time.monotonic()
            rows = sorted(_rows(before, after, now - at), key=lambda row: row[_KEYS[args.sort]], reverse=True)
            if sys.stdout.isatty() and not args.json:
                print("\x1b[H\x1b[J", end="")
            show(rows, args.json)
            sys.stdout.flush()
            before, at, done = after, now, done + 1
    return 0


_KEYS = {"time": "cpu_percent", "runs": "runs_per_second", "average": "average_ns"}


def _counts() -> dict[int, Any]:
    from ..loader.listed import programs

    return {entry.id: entry for entry in programs()}


def _rows(before: dict[int, Any], after: dict[int, Any], seconds: float) -> list[dict[str, Any]]:
    """Programs that ran in the interval, those that came in it included."""
    rows = []
    for number, entry in after.items():
        old = before.get(number)
        runs = entry.info.run_cnt - (old.info.run_cnt if old is not None else 0)
        spent = entry.info.run_time_ns - (old.info.run_time_ns if old is not None else 0)
        if runs:
            rows.append({"id": number, "type": entry.type, "name": entry.name, "runs_per_second": round(runs / seconds),
                         "average_ns": spent // runs, "cpu_percent": round(spent / seconds / 1e7, 3)})
    return rows
