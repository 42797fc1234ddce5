"""Commands with verbs, `purebpf map dump …`: each verb is one row, from which arguments, help, manual and completion come."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .output import add_json


class Arg(NamedTuple):
    """What `add_argument` takes."""

    names: tuple[str, ...]
    options: dict[str, Any]


def arg(*names: str, **options: Any) -> Arg:
    return Arg(names, options)


class Verb(NamedTuple):
    """`act(args)` does it; its result is the exit status, None for 0. `json`: does it take --json? `example`: the arguments
    of a call of it, as docs/cli.md and --help show it."""

    name: str
    summary: str
    act: Callable[[argparse.Namespace], int | None]
    args: tuple[Arg, ...] = ()
    json: bool = False
    example: str = ""


def add_verbs(parser: argparse.ArgumentParser, verbs: Sequence[Verb]) -> None:
    subs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs:
        example = f"example: {parser.prog} {verb.name} {verb.example}".rstrip()
        sub = subs.add_parser(verb.name, help=verb.summary, epilog=example, description=verb.summary[0].upper() + verb.summary[1:] + ".")
        for one in verb.args:
            sub.add_argument(*one.names, **one.options)
        if verb.json:
            add_json(sub)
        sub.set_defaults(act=verb.act)
    parser.epilog = f"{parser.prog} VERB --help tells of each, with an example"


def act(args: argparse.Namespace) -> int:
    """What `run` of a command with verbs does."""
    return args.act(args) or 0


WHICH_MAP = arg("which", metavar="NAME|ID|PIN", help="its name, id, or path under a bpffs")
WHICH_PROGRAM = arg("which", metavar="NAME|ID|TAG|PIN", help="its name, id, tag, or path under a bpffs")
WHICH_LINK = arg("which", metavar="ID|PIN", help="its id, or path under a bpffs")
PATH = arg("path", metavar="PATH", help="of the pin, in a bpffs")


def unpin(kind: str) -> Verb:
    """The verb that removes a pin, of one kind of object only."""
    def run(args: argparse.Namespace) -> None:
        from ..loader import bpf, pins

        with bpf.get_pinned(args.path) as fd:
            bpf.check_kind(fd.fileno(), kind, args.path)
        pins.unpin(args.path)

    return Verb("unpin", f"remove the pin of one; the {kind} goes if nobody else holds it", run, (PATH,), example="/sys/fs/bpf/x")


INTERVAL = arg("--interval", type=float, default=1.0, metavar="SECONDS", help="how long to wait between two looks (default 1)")
COUNT = arg("--count", type=int, metavar="N", help="stop after so many (default: at Ctrl-C)")
