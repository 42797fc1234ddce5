"""`purebpf token list`: the bpffs mounts that delegate BPF to a user namespace, and what they allow."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from .output import show
from .verbs import Verb, act as run, add_verbs

__all__ = ["add_arguments", "run"]


def _list(args: argparse.Namespace) -> None:
    show(_delegated(), args.json)


def _delegated() -> Iterator[dict[str, Any]]:
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
        for line in file:
            _, place, kind, options, *_ = line.split()
            given = dict(one.partition("=")[::2] for one in options.split(",") if one.startswith("delegate_"))
            if kind == "bpf" and given:
                yield {"bpffs": place, **{name.removeprefix("delegate_"): value for name, value in given.items()}}


VERBS = (Verb("list", "bpffs mounts with delegation: which commands, maps, programs and attachments they allow", _list, json=True),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
