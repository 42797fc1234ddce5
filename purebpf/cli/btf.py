"""`purebpf btf list|dump`: the type information in the kernel."""

from __future__ import annotations

import argparse
from typing import Any

from .output import add_json, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | dump")
    add_json(verbs.add_parser("list", help="the kernel's own, its modules', and what programs brought"))
    dump = verbs.add_parser("dump", help="the types of one")
    dump.add_argument("which", metavar="ID|NAME", help="its id, or vmlinux, or a module")
    dump.add_argument("--type", action="append", default=[], metavar="NAME", help="only this type (may be repeated)")
    add_json(dump)
    parser.epilog = "examples: purebpf btf list    purebpf btf dump vmlinux --type task_struct"


def run(args: argparse.Namespace) -> int:
    from ..errors import FormatError
    from ..loader.handle import btfs

    if args.verb == "list":
        show(({"id": e.id, "name": e.name, "kind": e.type, "bytes": e.info.btf_size,
               "held_by": [f"{p.comm}({p.pid})" for p in e.holders]} for e in btfs()), args.json)
        return 0
    found = [e for e in btfs() if str(e.id) == args.which or e.name == args.which]
    if not found:
        raise FormatError(f"no BTF in the kernel has the id or name {args.which!r}: see purebpf btf list")
    show(_types(found[0], set(args.type)), args.json)
    return 0


def _types(entry: Any, wanted: set[str]) -> list[dict[str, Any]]:
    from ..btf import kernel
    from ..errors import FormatError

    btf = kernel.vmlinux() if entry.name == "vmlinux" else kernel.module(entry.name, kernel.vmlinux()) if entry.name else entry.open()
    rows = []
    for number in range(btf.first, btf.last + 1):
        one = btf[number]
        name = getattr(one, "name", "")
        if not wanted or name in wanted:
            rows.append({"id": number, "kind": type(one).__name__.lower(), "name": name, "size": getattr(one, "size", None),
                         "fields": [f"{field}={value}" for field, value in zip(getattr(one, "_fields", ()), one)
                                    if field not in ("name", "size")]})
    if wanted and not rows:
        raise FormatError(f"BTF {entry.name or entry.id} has no type {', '.join(sorted(wanted))}")
    return rows
