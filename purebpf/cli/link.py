"""`purebpf link VERB`: the links in the kernel, each a program at its hook."""

from __future__ import annotations

import argparse
from typing import Any

from .output import details, show
from .verbs import PATH, WHICH_LINK, Verb, act as run, add_verbs, arg, unpin

__all__ = ["add_arguments", "run"]


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "attach_type": info.attach_type, "target": info.target,
            "program": info.prog_id, "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _list(args: argparse.Namespace) -> None:
    from ..loader.listed import links

    show(map(_row, links()), args.json)


def _open(args: argparse.Namespace) -> Any:
    from ..loader import open_link

    return open_link(args.which)


def _show(args: argparse.Namespace) -> None:
    with _open(args) as link:
        info = link.info
        details({**info._asdict(), "details": "", **info.details}, args.json)


def _pin(args: argparse.Namespace) -> None:
    with _open(args) as link:
        link.pin(args.path)


def _update(args: argparse.Namespace) -> None:
    from ..loader import open_program

    with _open(args) as link, open_program(args.program) as program:
        link.update(program)


def _detach(args: argparse.Namespace) -> None:
    from ..errors import NotSupported

    with _open(args) as link:
        kind, number, pins = link.kind, link.id, link.pins
        link.detach()
    if not pins and _still_there(number):
        raise NotSupported(95, f"detaching link {number}", reason="", hint=f"the kernel detaches a {kind} link only with "
                           "its last holder: see purebpf link list")


def _still_there(number: int) -> bool:
    from ..loader.listed import links

    return any(e.id == number and e.info.target != "(gone)" and e.info.type not in _DETACHED for e in links())


_DETACHED = ("xdp", "cgroup", "netns", "tcx", "netkit", "netfilter", "sockmap", "struct_ops")

VERBS = (
    Verb("list", "every link in the kernel, and who holds it", _list, json=True),
    Verb("show", "all that the kernel tells of one", _show, (WHICH_LINK,), True, "/sys/fs/bpf/at_lo"),
    Verb("pin", "keep one under a path of a bpffs", _pin, (WHICH_LINK, PATH), example="/sys/fs/bpf/at_lo /sys/fs/bpf/lo2"),
    unpin("link"),
    Verb("update", "put another program in place of the one that is there", _update, (WHICH_LINK, arg(
        "program", metavar="PROGRAM", help="its name, id, tag, or path under a bpffs")), example="/sys/fs/bpf/at_lo drop_all"),
    Verb("detach", "take the program off its hook, whoever holds the link", _detach, (WHICH_LINK,), example="/sys/fs/bpf/at_lo"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
