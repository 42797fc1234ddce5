"""`purebpf net VERB`: the programs at the interfaces of this network namespace, with and without links."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .output import show
from .verbs import WHICH_PROGRAM, Verb, act as run, add_verbs, arg

__all__ = ["add_arguments", "run"]


def _list(args: argparse.Namespace) -> None:
    rows = list(_everything())
    if args.stale:
        held = _held_programs()
        rows = [row for row in rows if not row["link"] and row["program"] not in held]
    show(rows, args.json)


def _row(device: str, kind: str, where: str, program: int, link: int | None = None, name: str = "") -> dict[str, Any]:
    return {"interface": device, "kind": kind, "where": where, "program": program, "link": link, "name": name}


def _everything() -> Iterator[dict[str, Any]]:
    import socket

    from ..loader import netlink
    from ..loader.listed import links

    names = dict(socket.if_nameindex())
    linked = list(links())
    of_xdp = {(e.info.details["ifindex"], e.info.prog_id): e.id for e in linked if e.type == "xdp"}
    for index, mode, program in netlink.xdp_everywhere():
        yield _row(names.get(index, str(index)), "xdp", mode, program, of_xdp.get((index, program)))
    for entry in linked:
        if entry.type in ("tcx", "netkit") and entry.info.details["ifindex"] in names:
            yield _row(entry.name, entry.type, entry.info.attach_type.rpartition("_")[2], entry.info.prog_id, entry.id)
        elif entry.type == "netfilter":
            yield _row("", "netfilter", entry.name, entry.info.prog_id, entry.id)
    for index, name in names.items():
        for parent in (netlink.INGRESS, netlink.EGRESS):
            for one in netlink.tc_filters(index, parent):
                yield _row(name, "clsact", f"{one.direction} {one.priority}", one.prog_id, None, one.name)


def _held_programs() -> set[int]:
    """The programs that a process has a descriptor of."""
    from ..loader.listed import programs

    return {e.id for e in programs() if e.holders}


def _attach(args: argparse.Namespace) -> None:
    from ..loader import open_program

    direction = {"ingress": "tcx/ingress", "egress": "tcx/egress"}.get(args.hook, args.hook)
    with open_program(args.which, section="xdp" if args.hook == "xdp" else direction) as program:
        if args.pin:
            options = {"mode": args.mode} if args.hook == "xdp" else {"direction": args.hook}
            program.attach(args.interface, **options).pin(args.pin)
            return
        options = {"mode": args.mode, "via": "netlink"} if args.hook == "xdp" else {"direction": args.hook, "via": "clsact"}
        if args.hook == "xdp" and args.replace:
            with open_program(args.replace) as old:
                program.attach(args.interface, replace=old, **options).leave()
        else:
            program.attach(args.interface, **options).leave()


def _detach(args: argparse.Namespace) -> None:
    from ..errors import AttachError
    from ..loader import netlink
    from ..loader.special import interface as index_of

    interface, program = args.interface, args.program
    index, done = index_of(interface), 0
    for parent in (netlink.INGRESS, netlink.EGRESS):
        for one in netlink.tc_filters(index, parent):
            if program in (None, one.prog_id):
                one.remove()
                done += 1
    for mode, number in netlink.xdp_of(index):
        if program in (None, number) and netlink.remove_xdp(index, mode):
            done += 1
    if not done:
        raise AttachError(2, f"{interface} has no program without a link" + (f" of id {program}" if program else ""),
                          "links are taken off by purebpf link detach ID", reason="")
    print(f"detached {done}")


INTERFACE = arg("interface", metavar="INTERFACE")
VERBS = (
    Verb("list", "XDP programs, tcx and netkit links, clsact filters, netfilter hooks", _list, (arg(
        "--stale", action="store_true", help="only what no link and no living process holds: left by kill -9"),), True),
    Verb("attach", "put a program at an interface to stay, as XDP or a clsact filter; or by a pinned link", _attach, (
        arg("hook", choices=("xdp", "ingress", "egress")), WHICH_PROGRAM, INTERFACE, arg(
            "--mode", choices=("auto", "generic", "native", "offload"), default="auto", help="of XDP"), arg(
            "--replace", metavar="PROGRAM", help="the XDP program to take the place of"), arg(
            "--pin", metavar="PATH", help="by a link, pinned there")), example="xdp pass_all lo --mode generic"),
    Verb("detach", "take clsact filters and XDP programs that have no link off an interface", _detach, (INTERFACE, arg(
        "--program", type=int, metavar="ID", help="only this program")), example="lo"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
