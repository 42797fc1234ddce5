"""`purebpf cgroup VERB`: which programs hang at which cgroup, by link or by request; by request on and off."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

from .output import show
from .verbs import WHICH_PROGRAM, Verb, act as run, add_verbs, arg

__all__ = ["add_arguments", "run"]


def _list(args: argparse.Namespace) -> None:
    root = args.path or _mounted()
    show((row for directory, _, _ in os.walk(root) for row in _programs(directory, args.effective)), args.json)


def _show(args: argparse.Namespace) -> None:
    show(_programs(args.path, args.effective), args.json)


def _tree(args: argparse.Namespace) -> None:
    root = args.path or _mounted()
    print(root)
    for directory, below, _ in os.walk(root):
        below.sort()
        depth = 0 if directory == root else os.path.relpath(directory, root).count("/") + 1
        rows = list(_programs(directory, args.effective))
        if depth:
            print(f"{'  ' * depth}{os.path.basename(directory)}")
        for row in rows:
            print(f"{'  ' * depth}- {row['hook']}: program {row['program']} {row['name']}".rstrip())


def _mounted() -> str:
    from ..errors import NotSupported
    from ..loader.cgroups import mounts

    if found := mounts():
        return found[0]
    raise NotSupported(2, "cgroup v2", hint="mount it: mount -t cgroup2 none DIRECTORY", reason="it is mounted nowhere")


def _opened(directory: str) -> Any:
    from ..loader.links import directory as opened

    return opened(directory, "cgroup")[1]


def _hooks() -> dict[str, int]:
    """Attach types of cgroups by name."""
    from ..uapi.enums import AttachType, names

    return {name.lower(): kind for kind, name in names(AttachType).items() if name.startswith(("CGROUP_", "LSM_CGROUP"))}


def _programs(directory: str, effective: bool) -> Iterator[dict[str, Any]]:
    from ..errors import KernelError
    from ..loader import bpf

    with _opened(directory) as fd:
        for name, kind in _hooks().items():
            try:
                found = bpf.prog_query(fd.fileno(), kind, effective=effective)
            except KernelError as error:
                if error.errno != 22:  # EINVAL: an older kernel has no such hook
                    raise
                continue
            for number in found:
                yield {"cgroup": directory, "hook": name, "program": number, "name": _name(number)}


def _name(number: int) -> str:
    from ..errors import KernelError
    from ..loader import bpf

    try:
        with bpf.fd_by_id("prog", number) as fd:
            return str(bpf.prog_info(fd.fileno()).name)
    except KernelError:
        return ""  # gone meanwhile


def _hook(text: str) -> int:
    import difflib

    from ..errors import FormatError

    known = _hooks()
    found = known.get(text, known.get(f"cgroup_{text}"))
    if found is None:
        near = difflib.get_close_matches(text, [*known, *(name.removeprefix("cgroup_") for name in known)], 3)
        raise FormatError(f"there is no cgroup hook {text!r}" + (f": did you mean {' or '.join(near)}?" if near else
                          f", only {', '.join(known)}"))
    return found


def _attach(args: argparse.Namespace) -> None:
    from ..errors import AttachError
    from ..loader import bpf, open_program
    from ..loader.refusals import CAP_NET_ADMIN, refuse

    flags = {"exclusive": 0, "override": 1, "multi": 2}[args.mode]
    kind = _hook(args.hook)
    with _opened(args.path) as fd, open_program(args.which) as program:
        result = bpf.prog_attach(fd.fileno(), program.fileno(), kind, flags)
        if result < 0:
            error = refuse(-result, f"attaching {program.name!r} to {args.hook} of {args.path}", caps=(CAP_NET_ADMIN,), hint={
                -22: "is the program of the type of this hook?", -1: "another program is there that allows no second one"}.get(result, ""))
            raise error if result != -22 else AttachError(22, error.action, error.hint)


def _detach(args: argparse.Namespace) -> None:
    from ..errors import AttachError
    from ..loader import bpf, open_program
    from ..loader.refusals import CAP_NET_ADMIN, refuse

    kind = _hook(args.hook)
    with _opened(args.path) as fd, open_program(args.which) as program:
        result = bpf.prog_detach(fd.fileno(), program.fileno(), kind)
        if result == -2:
            raise AttachError(2, f"program {program.name!r} is not attached to {args.hook} of {args.path}, or by a link",
                              "links are taken off by purebpf link detach ID", reason="")
        if result < 0:
            raise refuse(-result, f"detaching {program.name!r} from {args.hook} of {args.path}", caps=(CAP_NET_ADMIN,))


ROOT = arg("path", nargs="?", default="", metavar="PATH", help="a directory (default: where cgroup v2 is mounted)")
GROUP = arg("path", metavar="PATH", help="a cgroup v2 directory")
EFFECTIVE = arg("--effective", action="store_true", help="what runs there, programs of the groups above too")
HOOK = arg("hook", metavar="HOOK", help="inet_egress, inet4_connect, sock_ops, device, … as the kernel names them")

VERBS = (
    Verb("list", "the programs of a cgroup and of all below it", _list, (ROOT, EFFECTIVE), True),
    Verb("show", "the programs of one cgroup", _show, (GROUP, EFFECTIVE), True, "$CGROUP"),
    Verb("tree", "the same as list, as a tree", _tree, (ROOT, EFFECTIVE), example="$CGROUP"),
    Verb("attach", "attach a program by request: it stays until it is detached", _attach, (GROUP, HOOK, WHICH_PROGRAM, arg(
        "--mode", choices=("multi", "override", "exclusive"), default="multi", help="beside others (the default), may be overridden "
        "below, or alone")), example="$CGROUP inet_egress allow_all"),
    Verb("detach", "take such a program off", _detach, (GROUP, HOOK, WHICH_PROGRAM), example="$CGROUP inet_egress allow_all"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
