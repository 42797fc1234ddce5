"""`purebpf link list|show|pin|detach|update`: the links in the kernel, each a program at its hook."""

from __future__ import annotations

import argparse
from typing import Any

from .output import add_json, details, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | show | pin | detach | update")
    add_json(verbs.add_parser("list", help="every link in the kernel, and who holds it"))
    for name, summary in (("show", "all that the kernel tells of one"), ("pin", "keep one under a path of a bpffs"),
                          ("detach", "take the program off its hook, whoever holds the link"),
                          ("update", "put another program in place of the one that is there")):
        verb = verbs.add_parser(name, help=summary)
        verb.add_argument("which", metavar="ID|PIN", help="its id, or path under a bpffs")
        if name == "show":
            add_json(verb)
        if name == "pin":
            verb.add_argument("path", metavar="PATH")
        if name == "update":
            verb.add_argument("program", metavar="NAME|ID|TAG|PIN")
    parser.epilog = "examples: purebpf link list --json    purebpf link detach 17"


def run(args: argparse.Namespace) -> int:
    from ..errors import NotSupported
    from ..loader import open_link, open_program
    from ..loader.listed import links

    if args.verb == "list":
        show(map(_row, links()), args.json)
        return 0
    with open_link(args.which) as link:
        if args.verb == "show":
            info = link.info
            details({**info._asdict(), "details": "", **info.details}, args.json)
        elif args.verb == "pin":
            link.pin(args.path)
        elif args.verb == "update":
            with open_program(args.program) as program:
                link.update(program)
        else:
            kind, number, pins = link.kind, link.id, link.pins
            link.detach()
            if pins or not _still_there(number):
                return 0
            raise NotSupported(95, f"detaching link {number}", reason="", hint=f"the kernel detaches a {kind} link only with "
                               "its last holder: see purebpf link list")
    return 0


def _still_there(number: int) -> bool:
    from ..loader.listed import links

    return any(e.id == number and e.info.target != "(gone)" and e.info.type not in _DETACHED for e in links())


_DETACHED = ("xdp", "cgroup", "netns", "tcx", "netkit", "netfilter", "sockmap", "struct_ops")


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "attach_type": info.attach_type, "target": info.target,
            "program": info.prog_id, "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}
