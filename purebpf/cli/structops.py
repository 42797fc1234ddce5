"""`purebpf struct-ops VERB`: tables of functions that the kernel calls: congestion controls, schedulers, …"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .output import details, show
from .verbs import WHICH_MAP, Verb, act as run, add_verbs, arg

__all__ = ["add_arguments", "run"]


def _tables() -> Iterator[Any]:
    from ..loader.listed import maps

    return (entry for entry in maps() if entry.type == "struct_ops")


def _value(entry: Any) -> Any:
    """(name of the kernel's struct, the value around it) of one."""
    from ..btf import kernel
    from ..btf.values import codec
    from ..errors import PureBpfError

    btf = kernel.vmlinux()
    kind = entry.info.btf_vmlinux_value_type_id
    if not kind:
        raise PureBpfError(f"the kernel does not tell the type of struct_ops {entry.name!r}")
    with entry.open() as live:
        raw = live.raw_value()
    return str(getattr(btf[kind], "name", "")).removeprefix("bpf_struct_ops_"), codec(btf, kind, len(raw)).decode(raw)


_STATES = {0: "free", 1: "registered", 2: "being removed", 3: "ready for a link"}


def _row(entry: Any) -> dict[str, Any]:
    from ..errors import PureBpfError

    try:
        struct, value = _value(entry)
        state = _STATES.get(value.common.state, str(value.common.state))
    except (PureBpfError, AttributeError):
        struct, state = "", ""
    return {"id": entry.id, "name": entry.name, "struct": struct, "state": state,
            "held_by": [f"{p.comm}({p.pid})" for p in entry.holders]}


def _list(args: argparse.Namespace) -> None:
    show(map(_row, _tables()), args.json)


def _which(args: argparse.Namespace) -> Any:
    from ..errors import KernelError

    found = [entry for entry in _tables() if args.which in (str(entry.id), entry.name)]
    if len(found) != 1:
        raise KernelError(2, f"finding struct_ops {args.which!r}", reason="", hint=
                          "several have this name: give the id" if found else "see purebpf struct-ops list")
    return found[0]


def _show(args: argparse.Namespace) -> None:
    details(_row(_which(args)), args.json)


def _dump(args: argparse.Namespace) -> None:
    from ..btf.record import plain

    struct, value = _value(_which(args))
    details({"struct": struct, **plain(value.data)}, args.json)


def _register(args: argparse.Namespace) -> None:
    from ..errors import FormatError
    from ..loader import load
    from ..loader.structops import StructOpsMap
    from .load import wait_for_the_end
    from .program import read_object

    with load(read_object(args.file)) as k:
        tables = [one for one in k.maps.values() if isinstance(one, StructOpsMap)]
        if not tables:
            raise FormatError("it has no struct_ops table to register", source=args.file)
        for one in tables:
            link = one.attach().owned_by(k.links)
            if args.pin:
                link.pin(f"{args.pin}/{one.name}")
        if not args.pin:
            wait_for_the_end(k.links, k)


def _unregister(args: argparse.Namespace) -> None:
    from ..loader import open_link
    from ..loader.listed import links

    entry = _which(args)
    held = [one.id for one in links() if one.type == "struct_ops" and one.info.details.get("map_id") == entry.id]
    for number in held:
        with open_link(number) as link:
            link.detach()
    if not held:
        with entry.open() as live:
            live.unregister()


VERBS = (
    Verb("list", "every table in the kernel, of what struct, and whether it is registered", _list, json=True),
    Verb("show", "the same of one", _show, (WHICH_MAP,), True, "quick_reno"),
    Verb("dump", "its members; functions as the ids of their programs", _dump, (WHICH_MAP,), True, "quick_reno"),
    Verb("register", "load an object and register its tables until Ctrl-C, or by a pinned link", _register, (
        arg("file", metavar="FILE"), arg("--pin", metavar="DIRECTORY", help="pin the links there instead of waiting")),
         example="reno.o --pin /sys/fs/bpf"),
    Verb("unregister", "take a table back from the kernel", _unregister, (WHICH_MAP,), example="quick_reno"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
