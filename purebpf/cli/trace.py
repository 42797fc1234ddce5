"""`purebpf trace-pipe`: what programs print, as it comes."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, help="stop after so long (default: at Ctrl-C)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.epilog = "examples: purebpf trace-pipe    purebpf trace-pipe --seconds 5 --json"


def run(args: argparse.Namespace) -> int:
    import json

    from ..loader.tracepipe import trace

    for line in trace(args.seconds):
        if args.json:
            print(json.dumps(line._asdict()), flush=True)
        else:
            print(f"{line.time:>15.6f}  {line.cpu:>3}  {line.pid:>7}  {line.task:<16}  {line.text}" if line.pid >= 0
                  else line.text, flush=True)
    return 0
