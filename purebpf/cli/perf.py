"""`purebpf perf list`: programs at perf events that have no link: tracepoints, probes and counters by ioctl."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from .output import show
from .verbs import Verb, act as run, add_verbs

__all__ = ["add_arguments", "run"]
_KINDS = ("raw_tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe")


def _list(args: argparse.Namespace) -> None:
    hidden: list[str] = []
    show(_events(hidden), args.json)
    if hidden:
        print(f"{len(hidden)} processes are not this user's to look at: run it as root", file=sys.stderr)


def _events(hidden: list[str]) -> Iterator[dict[str, Any]]:
    """Rows; `hidden` gets the processes that may not be looked at."""
    from ..loader import bpf
    from ..loader.listed import descriptors

    for process, fd in descriptors("perf_event", hidden):
        found = bpf.task_fd_query(process.pid, fd)
        if found is not None:
            yield {"pid": process.pid, "process": process.comm, "fd": fd, "program": found.prog_id,
                   "kind": _KINDS[found.fd_type] if found.fd_type < len(_KINDS) else str(found.fd_type), "target": found.name,
                   "offset": found.offset}


VERBS = (Verb("list", "which process holds which, and where it hangs", _list, json=True),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
