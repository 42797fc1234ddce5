"""`purebpf map VERB`: the maps in the kernel and what is in them, typed by their BTF."""

from __future__ import annotations

import argparse
from typing import Any

from .output import details, show
from .values import HOW, value, value_or_object
from .verbs import COUNT, INTERVAL, PATH, WHICH_MAP, Verb, act as run, add_verbs, arg, unpin

__all__ = ["add_arguments", "run"]


def type_name(number: int) -> str:
    from ..uapi.enums import MapType, name_of

    return name_of(MapType, number).lower()


def _row(entry: Any) -> dict[str, Any]:
    info = entry.info
    return {"id": entry.id, "type": entry.type, "name": entry.name, "key": info.key_size, "value": info.value_size,
            "entries": info.max_entries, "flags": hex(info.map_flags),
            "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _list(args: argparse.Namespace) -> None:
    from ..loader.listed import maps

    show(map(_row, maps()), args.json)


def _open(args: argparse.Namespace) -> Any:
    from ..loader import open_map

    return open_map(args.which)


def _keyed(live: Any) -> Any:
    from ..errors import FormatError
    from ..loader.maps import KeyedMap

    if not isinstance(live, KeyedMap):
        raise FormatError(f"map {live.name!r} has no entries to list: its type is {type_name(live.info.type)}")
    return live


def _show(args: argparse.Namespace) -> None:
    with _open(args) as live:
        details({**live.info._asdict(), "type": type_name(live.info.type)}, args.json)


def _pin(args: argparse.Namespace) -> None:
    with _open(args) as live:
        live.pin(args.path)


def _freeze(args: argparse.Namespace) -> None:
    with _open(args) as live:
        live.freeze()


def _dump(args: argparse.Namespace) -> None:
    with _open(args) as live:
        if args.json:
            print(_keyed(live).to_json())
            return
        for key, one in _keyed(live).items():
            print(f"{key!r}: {one!r}")


def _top(args: argparse.Namespace) -> None:
    with _open(args) as live:
        show(({"key": key, "value": one} for key, one in _keyed(live).top(args.n)), args.json)


def _lookup(args: argparse.Namespace) -> None:
    with _open(args) as live:
        details({"value": _keyed(live)[value(args.key)]}, args.json)


def _next(args: argparse.Namespace) -> None:
    with _open(args) as live:
        keys = iter(_keyed(live))
        if args.key is not None:
            wanted = value(args.key)
            next((key for key in keys if key == wanted), None)
        following = next(keys, None)
        details({"key": following}, args.json)


def _update(args: argparse.Namespace) -> None:
    from ..loader.maps import ANY, EXIST, NOEXIST

    with _open(args) as live, value_or_object(args.value) as given:
        _keyed(live).set(value(args.key), given, flags={"any": ANY, "noexist": NOEXIST, "exist": EXIST}[args.only])


def _delete(args: argparse.Namespace) -> None:
    with _open(args) as live:
        del _keyed(live)[value(args.key)]


def _clear(args: argparse.Namespace) -> None:
    with _open(args) as live:
        _keyed(live).clear()


def _queue(args: argparse.Namespace, method: str) -> Any:
    from ..errors import FormatError

    with _open(args) as live:
        if not hasattr(live, method) or hasattr(live, "items"):
            raise FormatError(f"map {live.name!r} has no {method}: its type is {type_name(live.info.type)}")
        return getattr(live, method)(*((value(args.value),) if method in ("push", "add") else ()))


def _create(args: argparse.Namespace) -> None:
    import os

    from ..errors import FormatError
    from ..loader.create import create_map
    from ..loader.livemaps import live
    from ..spec import MapSpec
    from ..uapi.enums import MapFlag, MapType

    kind = getattr(MapType, args.type.upper().replace("-", "_"), None)
    flags = [getattr(MapFlag, name.upper(), None) for name in args.flag]
    if kind is None or None in flags:
        word = args.type if kind is None else args.flag[flags.index(None)]
        known = ", ".join(sorted(name.lower() for name in vars(MapType if kind is None else MapFlag) if name[0] != "_"))
        raise FormatError(f"there is no map {'type' if kind is None else 'flag'} {word!r}, only {known}")
    made = create_map(MapSpec(args.name or os.path.basename(args.path), kind, args.key, args.value, args.entries,
                              sum(flag for flag in flags if flag)), None)
    with live(made.fd, made.spec, None) as one:
        one.pin(args.path)


def _watch(args: argparse.Namespace) -> None:
    import sys

    from ..btf.record import plain

    with _open(args) as live:
        for changes in _keyed(live).watch(args.interval, count=args.count):
            if sys.stdout.isatty() and not args.json:
                print("\x1b[H\x1b[J", end="")
            shown = sorted(changes, key=lambda c: abs(c.delta) if isinstance(c.delta, int | float) else 0, reverse=True)[:args.n]
            show(({"key": plain(c.key), "value": plain(c.after), "change": c.delta} for c in shown), args.json)
            if not args.json:
                print(f"{len(changes)} changed", flush=True)


def _histogram(args: argparse.Namespace) -> None:
    import json

    from ..errors import FormatError

    with _open(args) as live:
        try:
            made = _keyed(live).histogram(args.scale)
        except FormatError as error:
            raise FormatError(f"map {live.name!r} counts no slots: {error}") from None
        if args.svg:
            with open(args.svg, "w", encoding="utf-8") as file:
                file.write(made.svg(live.name))
        elif args.json:
            print(json.dumps([bar._asdict() for bar in made]))
        else:
            print(made)


def _scale(text: str) -> Any:
    if text == "log2":
        return text
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither log2 nor the width of a slot")
    return int(text)


def _events(args: argparse.Namespace) -> None:
    import itertools
    import json

    from ..btf.record import plain
    from ..errors import FormatError
    from ..loader.queues import ReaderMap
    from ..readings.table import as_text

    with _open(args) as live:
        if not isinstance(live, ReaderMap):
            raise FormatError(f"map {live.name!r} sends no events: its type is {type_name(live.info.type)}")
        for event in itertools.islice(live.events(args.seconds), args.count):
            print(json.dumps(plain(event), default=as_text) if args.json else event.hex() if isinstance(event, bytes) else repr(event),
                  flush=True)


def _stacks(args: argparse.Namespace) -> None:
    from ..errors import FormatError
    from ..loader import open_map
    from ..loader.symbolize import KernelSymbols, ProcessSymbols, folded
    from ..readings.flame import flame_graph
    from ..readings.table import total

    names = KernelSymbols() if args.pid is None else ProcessSymbols(args.pid)
    with _open(args) as live:
        if type_name(live.info.type) != "stack_trace":
            raise FormatError(f"map {live.name!r} has no stacks: its type is {type_name(live.info.type)}")
        stacks = dict(_keyed(live).items())
    counts = dict.fromkeys(stacks, 1)
    if args.counts:
        with open_map(args.counts) as counted:
            counts = {key: int(total(one)) for key, one in _keyed(counted).items()}
    text = folded(((stacks[key], number) for key, number in counts.items() if key in stacks),
                  lambda stack: stack.folded(args.pid, names=names))
    if args.svg:
        with open(args.svg, "w", encoding="utf-8") as file:
            file.write(flame_graph(text, live.name))
    else:
        print(text, end="")


KEY, VALUE = arg("key", metavar="KEY", help=HOW), arg("value", metavar="VALUE", help=HOW)
SVG = arg("--svg", metavar="FILE", help="draw it into this file instead")
N = arg("-n", type=int, default=20, metavar="N", help="at most so many (default 20)")

VERBS = (
    Verb("list", "every map in the kernel, and who holds it", _list, json=True),
    Verb("show", "all that the kernel tells of one", _show, (WHICH_MAP,), True, "counts"),
    Verb("dump", "its entries", _dump, (WHICH_MAP,), True, "counts --json"),
    Verb("top", "the entries with the largest values", _top, (WHICH_MAP, N), True, "counts -n 3"),
    Verb("lookup", "one entry", _lookup, (WHICH_MAP, KEY), True, "counts 0"),
    Verb("next", "the key after a key, or the first", _next, (WHICH_MAP, arg("key", metavar="KEY", nargs="?", help=HOW)), True, "counts 0"),
    Verb("update", "write one entry", _update, (WHICH_MAP, KEY, arg(
        "value", metavar="VALUE", help=f"{HOW}; map:WHICH, program:WHICH and cgroup:PATH where maps hold those"), arg(
        "--only", choices=("any", "noexist", "exist"), default="any", help="only if it is not there, or only if it is")),
         example="counts 80 1000"),
    Verb("delete", "remove one entry", _delete, (WHICH_MAP, KEY), example="counts 80"),
    Verb("clear", "remove every entry, of an array: set all to zero", _clear, (WHICH_MAP,), example="counts"),
    Verb("watch", "what changes in it, and by how much", _watch, (WHICH_MAP, INTERVAL, COUNT, N), True, "counts --interval 0.5 --count 2"),
    Verb("histogram", "a map of slots and counts as a histogram", _histogram, (WHICH_MAP, arg(
        "--scale", type=_scale, default="log2", metavar="log2|WIDTH", help="slots count bits (the default), or numbers so wide"), SVG),
         True, "sizes --scale 10"),
    Verb("stacks", "a map of stack traces with names, folded for flame graphs, or as one", _stacks, (WHICH_MAP, arg(
        "--pid", type=int, help="the process whose stacks they are (default: the kernel's)"), arg(
        "--counts", metavar="MAP", help="the map that counts them, by stack id"), SVG), example="stacks --pid 1"),
    Verb("events", "the records that programs send through a ring buffer or perf buffer, as they come", _events, (WHICH_MAP, COUNT, arg(
        "--seconds", type=float, help="stop when none came for so long")), True, "events --seconds 1"),
    Verb("push", "add a value to a queue, stack or bloom filter", lambda args: _queue(args, "push"), (WHICH_MAP, VALUE), example="jobs 7"),
    Verb("pop", "take a value from a queue or stack", lambda args: details({"value": _queue(args, "pop")}, args.json), (WHICH_MAP,),
         True, "jobs"),
    Verb("peek", "look at the next value of a queue or stack", lambda args: details({"value": _queue(args, "peek")}, args.json),
         (WHICH_MAP,), True, "jobs"),
    Verb("create", "make a map and pin it", _create, (PATH, arg("--type", required=True, help="hash, array, queue, …"), arg(
        "--key", type=int, default=0, metavar="BYTES", help="size of a key"), arg(
        "--value", type=int, default=0, metavar="BYTES", help="size of a value"), arg(
        "--entries", type=int, default=1, metavar="N", help="how many at most"), arg("--name", default="", help="default: that of the pin"),
        arg("--flag", action="append", default=[], metavar="NAME", help="no_prealloc, mmapable, …; may be repeated")),
         example="/sys/fs/bpf/jobs --type queue --value 8 --entries 16"),
    Verb("pin", "keep it under a path of a bpffs", _pin, (WHICH_MAP, PATH), example="counts /sys/fs/bpf/counts2"),
    unpin("map"),
    Verb("freeze", "no more writes from user space, ever", _freeze, (WHICH_MAP,), example="counts"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
