"""`purebpf features`: what this kernel has, tried out row by row."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--helpers", metavar="TYPE", help="also every helper, for programs of this type (xdp, kprobe, …)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--missing", action="store_true", help="only what the kernel lacks")
    parser.epilog = "examples: purebpf features    purebpf features --helpers xdp --missing"


def run(args: argparse.Namespace) -> int:
    import os

    from ..errors import FormatError
    from ..loader.probes import Probes
    from ..uapi.enums import ProgType

    probes = Probes()
    tables = {"features": probes.features(), "map types": probes.map_types(), "program types": probes.prog_types(),
              "attach kinds": probes.attach_kinds()}
    if args.helpers:
        kind = getattr(ProgType, args.helpers.upper(), None)
        if kind is None:
            raise FormatError(f"there is no program type {args.helpers!r}; see the table of program types")
        tables[f"helpers for {args.helpers}"] = probes.all_helpers(kind)
    counts = {title: f"{sum(a.has is True for a in answers)} of {len(answers)}" for title, answers in tables.items()}
    if args.missing:
        tables = {title: [a for a in answers if a.has is not True] for title, answers in tables.items()}
    if args.json:
        import json

        print(json.dumps({"release": os.uname().release,
                          **{title: {a.name: a.has for a in answers} for title, answers in tables.items()}}, indent=1))
        return 0
    print(f"Linux {os.uname().release}")
    for title, answers in tables.items():
        print(f"\n{title}: {counts[title]}")
        width = max((len(a.name) for a in answers), default=0)
        for answer in answers:
            print(_row(answer, width))
    if any(a.has is None for answers in tables.values() for a in answers):
        print("\n?: this process may not ask; run it as root")
    return 0


_WORDS = {True: "yes", False: "no", None: "?"}


def _row(answer: Any, width: int) -> str:
    since = f"since {answer.since}" if answer.since else ""
    if answer.has is False and answer.needs:
        since = f"{since}; needs {answer.needs}".removeprefix("; ")
    return f"  {_WORDS[answer.has]:<4}{answer.name.lower():<{width}}  {since}".rstrip()
