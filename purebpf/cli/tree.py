"""The whole command line as a tree of parsers: what the manual and the completion files are written from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple


class Node(NamedTuple):
    """One command or verb: `path` ("map dump"), its parser, and one line of what it does."""

    path: str
    parser: argparse.ArgumentParser
    summary: str

    @property
    def subcommands(self) -> dict[str, str]:
        """name → one line, of what may follow."""
        for action in self.parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                return {choice.dest: choice.help or "" for choice in action._choices_actions}
        return {}

    @property
    def options(self) -> list[argparse.Action]:
        return [action for action in self.parser._actions if action.option_strings]

    @property
    def positionals(self) -> list[argparse.Action]:
        return [action for action in self.parser._actions if not action.option_strings
                and not isinstance(action, argparse._SubParsersAction)]


def whole() -> argparse.ArgumentParser:
    """The parser with the arguments of every command."""
    from . import COMMANDS, make_parser

    return make_parser({name: import_module(f".{module}", __package__) for name, (module, _) in COMMANDS.items()})


def nodes(parser: argparse.ArgumentParser, path: str = "", summary: str = "eBPF in Python, without LLVM") -> Iterator[Node]:
    """Every command and verb, parents first."""
    here = Node(path, parser, summary)
    yield here
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from nodes(sub, f"{path} {name}".strip(), here.subcommands.get(name, ""))
