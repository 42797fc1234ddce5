"""`purebpf map list`, `purebpf map dump WHICH`: the maps in the kernel and what is in them, typed by their BTF."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | dump")
    verbs.add_parser("list", help="every map in the kernel")
    dump = verbs.add_parser("dump", help="the entries of a map")
    dump.add_argument("which", metavar="NAME|ID|PIN", help="its name, id, or path under a bpffs")
    dump.add_argument("--json", action="store_true", help="a JSON list of [key, value]")


def run(args: argparse.Namespace) -> int:
    if args.verb == "list":
        return _list()
    return _dump(args.which, args.json)


def _list() -> int:
    from ..errors import PureBpfError
    from ..loader import bpf
    from ..uapi.enums import MapType, name_of

    for number in bpf.ids("map"):
        try:
            with bpf.fd_by_id("map", number) as fd:
                info = bpf.map_info(fd.fileno())
        except PureBpfError:
            continue  # gone meanwhile
        print(f"{number:>6}  {name_of(MapType, info.type).lower():<22} {info.name:<16} key {info.key_size}, value "
              f"{info.value_size} bytes, {info.max_entries} entries")
    return 0


def _dump(which: str, as_json: bool) -> int:
    from ..btf.record import plain
    from ..errors import FormatError
    from ..loader import open_map
    from ..loader.maps import KeyedMap

    with open_map(which) as live:
        if not isinstance(live, KeyedMap):
            raise FormatError(f"map {live.name!r} has no entries to list: it is a {type(live).__name__}")
        if as_json:
            import json

            print(json.dumps([[plain(k), plain(v)] for k, v in live.items()], default=_text))
            return 0
        for key, value in live.items():
            print(f"{key!r}: {value!r}")
    return 0


def _text(value: Any) -> str:
    return bytes(value).hex()
