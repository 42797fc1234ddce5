"""The manual, a page a command, in the language of man(7): `python -m purebpf.cli.manual DIRECTORY` writes purebpf.1,
purebpf-map.1 and so on. Run when the package is built."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from .. import __version__
from .tree import Node, nodes, whole


def _text(words: str) -> str:
    """Text as man takes it: a line cannot begin with a dot, hyphens are those of commands."""
    plain = words.replace("%%", "%").replace("…", "...").replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + plain if plain[:1] in (".", "'") else plain


def _usage(node: Node) -> str:
    return " ".join(node.parser.format_usage().removeprefix("usage: ").split())


def _argument(action: argparse.Action) -> Iterator[str]:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in action.option_strings)
    value = "" if action.nargs == 0 else str(action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper()))
    yield ".TP"
    yield " ".join(filter(None, (names, f"\\fI{_text(value)}\\fR" if value else "")))
    help_text = (action.help or "").replace("%(default)s", str(action.default)).replace("%(prog)s", "purebpf")
    yield _text(help_text) or "\\&"


def page(node: Node, below: list[Node]) -> str:
    """The page of a command and its verbs."""
    name = "purebpf" + (f"-{node.path}" if node.path else "")
    lines = [f'.TH {name.upper().replace("-", chr(92) + "-")} 1 "" "purebpf {__version__}" "purebpf"', ".SH NAME",
             f"{_text(name)} \\- {_text(node.summary)}", ".SH SYNOPSIS", _text(_usage(node)), ".SH DESCRIPTION",
             _text((node.parser.description or node.summary).rstrip(".") + ".")]
    lines += _arguments(node, ".SH ARGUMENTS")
    if node.path:
        for verb in below:
            lines += [f".SH {_text(verb.path.upper())}", _text(verb.summary[:1].upper() + verb.summary[1:] + "."), ".PP",
                      f".B {_text(_usage(verb))}", *_arguments(verb, ".PP"), *_examples(verb)]
    else:
        lines += [".SH COMMANDS"]
        for one, summary in node.subcommands.items():
            lines += [".TP", f"\\fBpurebpf\\-{_text(one)}\\fR(1)", _text(summary)]
        lines += [".SH EXIT STATUS", "0: done. 1: a mistake or a refusal, told on standard error. 2: wrong usage. 130: interrupted."]
    return "\n".join([*lines, *_examples(node, ".SH EXAMPLES")]) + "\n"


def _arguments(node: Node, head: str) -> list[str]:
    shown = [line for action in [*node.positionals, *node.options] for line in _argument(action)]
    return [head, *shown] if shown else []


def _examples(node: Node, head: str = ".PP") -> list[str]:
    """What the parser's epilog has: "examples: one    two"."""
    word, colon, rest = (node.parser.epilog or "").partition(": ")
    if not colon or not word.startswith("example"):
        return []
    return [head, ".EX", *(_text(one.strip()) for one in rest.split("    ") if one.strip()), ".EE"]


def pages() -> dict[str, str]:
    """File name → page."""
    every = list(nodes(whole()))
    found = {}
    for node in every:
        if " " not in node.path:
            below = [one for one in every if one.path.startswith(node.path + " ")] if node.path else []
            found["purebpf" + (f"-{node.path}" if node.path else "") + ".1"] = page(node, below)
    return found


def main(directory: str) -> None:
    """Write all pages."""
    os.makedirs(directory, exist_ok=True)
    for name, text in pages().items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main(sys.argv[1])
