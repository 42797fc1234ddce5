"""`purebpf map list|show|dump|lookup|update|delete|pin|freeze`: the maps in the kernel and what is in them, typed by their BTF."""

from __future__ import annotations

import argparse
from typing import Any

from .output import add_json, details, show

_VERBS = {"show": "all that the kernel tells of one", "dump": "its entries", "lookup": "one entry", "update": "write one entry",
          "delete": "remove one entry", "pin": "keep it under a path of a bpffs", "freeze": "no more writes from user space"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar=" | ".join(["list", *_VERBS]))
    add_json(verbs.add_parser("list", help="every map in the kernel, and who holds it"))
    for name, summary in _VERBS.items():
        verb = verbs.add_parser(name, help=summary)
        verb.add_argument("which", metavar="NAME|ID|PIN", help="its name, id, or path under a bpffs")
        if name in ("show", "dump", "lookup"):
            add_json(verb)
        if name in ("lookup", "update", "delete"):
            verb.add_argument("key", metavar="KEY", help="as Python or JSON writes it: 7, '\"text\"', '{\"pid\": 1}', or 0x… bytes as hex:0a0b")
        if name == "update":
            verb.add_argument("value", metavar="VALUE")
        if name == "pin":
            verb.add_argument("path", metavar="PATH")
    parser.epilog = "examples: purebpf map dump calls --json    purebpf map update limits 80 1000"


def run(args: argparse.Namespace) -> int:
    from ..loader import open_map
    from ..loader.listed import maps

    if args.verb == "list":
        show(map(_row, maps()), args.json)
        return 0
    with open_map(args.which) as live:
        match args.verb:
            case "show":
                details({**live.info._asdict(), "type": type_name(live.info.type)}, args.json)
            case "pin":
                live.pin(args.path)
            case "freeze":
                live.freeze()
            case "dump":
                _dump(_keyed(live), args.json)
            case "lookup":
                details({"value": _keyed(live)[_value(args.key)]}, args.json)
            case "update":
                _keyed(live)[_value(args.key)] = _value(args.value)
            case "delete":
                del _keyed(live)[_value(args.key)]
    return 0


def type_name(number: int) -> str:
    from ..uapi.enums import MapType, name_of

    return name_of(MapType, number).lower()


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "name": entry.name, "key": info.key_size, "value": info.value_size,
            "entries": info.max_entries, "flags": hex(info.map_flags),
            "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _keyed(live: Any) -> Any:
    from ..errors import FormatError
    from ..loader.maps import KeyedMap

    if not isinstance(live, KeyedMap):
        raise FormatError(f"map {live.name!r} has no entries to list: it is a {type(live).__name__}")
    return live


def _value(text: str) -> Any:
    """A number, text, list or record as written on a command line."""
    import ast

    from ..errors import FormatError

    try:
        return bytes.fromhex(text[4:]) if text.startswith("hex:") else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        if text.startswith("hex:"):
            raise FormatError(f"{text}: no hexadecimal bytes") from None
        return text


def _dump(live: Any, as_json: bool) -> None:
    from ..btf.record import plain

    if as_json:
        import json

        print(json.dumps([[plain(k), plain(v)] for k, v in live.items()], default=_text))
        return
    for key, value in live.items():
        print(f"{key!r}: {value!r}")


def _text(value: Any) -> str:
    return bytes(value).hex()
