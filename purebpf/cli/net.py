"""`purebpf net list`: the programs at the interfaces of this network namespace, with and without links."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .output import add_json, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | detach")
    listing = verbs.add_parser("list", help="XDP programs, tcx and netkit links, clsact filters, netfilter hooks")
    add_json(listing)
    listing.add_argument("--stale", action="store_true", help="only what no link and no living process holds: left by kill -9")
    detach = verbs.add_parser("detach", help="take clsact filters and XDP programs that have no link off an interface")
    detach.add_argument("interface")
    detach.add_argument("--program", type=int, metavar="ID", help="only this program")
    parser.epilog = "examples: purebpf net list    purebpf net list --stale --json"


def run(args: argparse.Namespace) -> int:
    if args.verb == "detach":
        return _detach(args.interface, args.program)
    rows = list(_everything())
    if args.stale:
        held = _held_programs()
        rows = [row for row in rows if not row["link"] and row["program"] not in held]
    show(rows, args.json)
    return 0


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


def _detach(interface: str, program: int | None) -> int:
    from ..errors import AttachError
    from ..loader import netlink
    from ..loader.sockets import interface as index_of

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
    return 0
