"""`purebpf cgroup list`: which programs hang at which cgroup, by link or by request."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

from .output import add_json, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list")
    listing = verbs.add_parser("list", help="the programs of a cgroup v2 directory and all below it")
    listing.add_argument("path", nargs="?", default="", help="a directory (default: where cgroup v2 is mounted)")
    listing.add_argument("--effective", action="store_true", help="what runs there, programs of the groups above too")
    add_json(listing)
    parser.epilog = "examples: purebpf cgroup list    purebpf cgroup list /sys/fs/cgroup/x --effective --json"


def run(args: argparse.Namespace) -> int:
    root = args.path or _mounted()
    show((row for directory, _, _ in os.walk(root) for row in _programs(directory, args.effective)), args.json)
    return 0


def _mounted() -> str:
    from ..errors import NotSupported

    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
        for line in file:
            _, place, kind, *_ = line.split()
            if kind == "cgroup2":
                return place
    raise NotSupported(2, "cgroup v2", hint="mount it: mount -t cgroup2 none DIRECTORY", reason="it is mounted nowhere")


def _programs(directory: str, effective: bool) -> Iterator[dict[str, Any]]:
    from ..errors import KernelError
    from ..loader import bpf
    from ..loader.fd import Fd
    from ..uapi.enums import AttachType, names

    with Fd.owning(f"cgroup {directory}", os.open, directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) as fd:
        for kind, name in names(AttachType).items():
            if not name.startswith(("CGROUP_", "LSM_CGROUP")):
                continue
            try:
                found = bpf.prog_query(fd.fileno(), kind, effective=effective)
            except KernelError:
                continue  # an older kernel has no such hook
            for number in found:
                yield {"cgroup": directory, "hook": name.lower(), "program": number, "name": _name(number)}


def _name(number: int) -> str:
    from ..errors import KernelError
    from ..loader import bpf

    try:
        with bpf.fd_by_id("prog", number) as fd:
            return str(bpf.prog_info(fd.fileno()).name)
    except KernelError:
        return ""  # gone meanwhile
