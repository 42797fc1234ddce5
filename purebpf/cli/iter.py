"""`purebpf iter VERB`: programs of iterators: run once and print what they write, or pin them as files to be read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .verbs import PATH, Verb, act as run, add_verbs, arg

__all__ = ["add_arguments", "run"]


@contextmanager
def _links(args: argparse.Namespace) -> Iterator[list[Any]]:
    from ..errors import FormatError
    from ..loader import load, open_map
    from .program import read_object

    with ExitStack() as held:
        k = held.enter_context(load(read_object(args.file)))
        target = held.enter_context(open_map(args.map)) if args.map else args.cgroup
        programs = [one for one in k.programs.values() if one.spec.section.startswith("iter")]
        if not programs:
            raise FormatError("it has no program of an iterator", source=args.file)
        options = {name: getattr(args, name) for name in ("pid", "tid") if getattr(args, name)}
        yield [one.attach(target, **options) for one in programs]


def _run(args: argparse.Namespace) -> None:
    with _links(args) as links:
        for link in links:
            sys.stdout.buffer.write(link.read_bytes())
            sys.stdout.buffer.flush()


def _pin(args: argparse.Namespace) -> None:
    from ..errors import FormatError

    with _links(args) as links:
        if len(links) != 1:
            raise FormatError(f"a pin holds one iterator, the file has {len(links)}", source=args.file)
        links[0].pin(args.path)


def _read(args: argparse.Namespace) -> None:
    from ..loader import open_link

    with open_link(args.path) as link:
        sys.stdout.buffer.write(link.read_bytes())
        sys.stdout.buffer.flush()


FILE = arg("file", metavar="FILE", help="a Python file, an object or assembly")
WHAT = (arg("--map", metavar="MAP", help="the map whose entries it walks"), arg("--cgroup", metavar="PATH", help="the cgroup it walks"),
        arg("--pid", type=int, default=0, help="of this process only"), arg("--tid", type=int, default=0, help="of this thread only"))

VERBS = (
    Verb("run", "load it, run it once and print what it writes", _run, (FILE, *WHAT), example="tasks.py"),
    Verb("pin", "keep it under a path: reading the file runs it", _pin, (FILE, PATH, *WHAT), example="tasks.py /sys/fs/bpf/tasks"),
    Verb("read", "run one that is pinned and print what it writes", _read, (PATH,), example="/sys/fs/bpf/tasks"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_verbs(parser, VERBS)
