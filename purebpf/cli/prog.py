"""`purebpf prog list|show|pin|attach|run`: the programs in the kernel."""

from __future__ import annotations

import argparse
from typing import Any

from .output import add_json, details, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | show | pin | attach | run")
    add_json(verbs.add_parser("list", help="every program in the kernel, and who holds it"))
    for name, summary in (("show", "all that the kernel tells of one"), ("pin", "keep one under a path of a bpffs"),
                          ("attach", "attach one, and detach it at Ctrl-C; or pin the link"), ("run", "run one once on given input")):
        verb = verbs.add_parser(name, help=summary)
        verb.add_argument("which", metavar="NAME|ID|TAG|PIN", help="its name, id, tag, or path under a bpffs")
        if name in ("show", "run"):
            add_json(verb)
        if name == "pin":
            verb.add_argument("path", metavar="PATH")
        if name == "attach":
            verb.add_argument("target", nargs="?", metavar="TARGET[,OPTION=VALUE…]", help="an interface, a cgroup, a tracepoint, …")
            verb.add_argument("--section", default="", help="what the kernel does not tell, as a section name: cgroup_skb/egress")
            verb.add_argument("--pin", metavar="PATH", help="pin the link there instead of waiting")
        if name == "run":
            verb.add_argument("--data", default="", metavar="HEX", help="a packet")
            verb.add_argument("--repeat", type=int, default=1, metavar="N")
    parser.epilog = "examples: purebpf prog list    purebpf prog attach /sys/fs/bpf/x eth0,mode=generic"


def run(args: argparse.Namespace) -> int:
    from ..loader import open_program
    from ..loader.listed import programs

    if args.verb == "list":
        show(map(_row, programs()), args.json)
        return 0
    if args.verb == "attach":
        return _attach(args)
    with open_program(args.which) as program:
        if args.verb == "pin":
            program.pin(args.path)
        elif args.verb == "show":
            details(_shown(program), args.json)
        else:
            return _run(program, args)
    return 0


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "name": entry.name, "tag": info.tag.hex(), "bytes": info.xlated_prog_len,
            "maps": info.nr_map_ids, "uid": info.created_by_uid, "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _shown(program: Any) -> dict[str, Any]:
    from ..loader import bpf
    from ..loader.listed import links
    from ..uapi.enums import ProgType, name_of

    info, raw = program.info, bpf.prog_info(program.fileno())
    return {"id": info.id, "type": name_of(ProgType, info.type).lower(), "name": info.name, "tag": info.tag.hex(),
            "gpl": bool(raw.gpl_compatible & 1), "uid": raw.created_by_uid, "instructions": len(info.xlated) // 8,
            "verified_instructions": info.verified_insns, "jited_bytes": len(info.jited), "btf_id": info.btf_id,
            "map_ids": list(info.map_ids), "run_count": info.run_count, "run_time_ns": info.run_time_ns,
            "recursion_misses": info.recursion_misses,
            "links": [f"{e.id} {e.type} {e.name}".rstrip() for e in links() if e.info.prog_id == info.id]}


def _attach(args: argparse.Namespace) -> int:
    from ..errors import FormatError
    from ..loader import open_program
    from .load import assignment, wait_for_the_end

    target, *given = (args.target or "").split(",")
    with open_program(args.which, section=args.section) as program:
        try:
            link = program.attach(target or None, **dict(assignment(one) for one in given))
        except TypeError:
            raise FormatError(f"programs of section {program.spec.section!r} take no such options: {', '.join(given)}") from None
        if args.pin:
            link.pin(args.pin)
        else:
            wait_for_the_end([link])
    return 0


def _run(program: Any, args: argparse.Namespace) -> int:
    from ..errors import FormatError

    try:
        data = bytes.fromhex(args.data)
    except ValueError:
        raise FormatError(f"--data {args.data[:20]}: no hexadecimal bytes") from None
    got = program.test_run(data, repeat=args.repeat)
    details({"retval": got.retval, "duration_ns": got.duration_ns, "data": got.data}, args.json)
    return 0
