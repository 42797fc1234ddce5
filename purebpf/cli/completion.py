"""`purebpf completion SHELL`: what a shell needs to complete command lines, written from the parsers; nothing of Python runs
when it completes. Installing the package puts the three files where shells look for them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from .tree import Node, nodes, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS))
    parser.epilog = "example: eval \"$(purebpf completion bash)\""


def run(args: argparse.Namespace) -> int:
    print(SHELLS[args.shell](), end="")
    return 0


def _words(node: Node) -> list[str]:
    return [*node.subcommands, *(name for action in node.options for name in action.option_strings if name.startswith("--"))]


def _choices(node: Node) -> Iterator[tuple[str, list[str]]]:
    """(option or "", the words that may stand there)."""
    for action in node.options:
        if action.choices:
            yield from ((name, [str(one) for one in action.choices]) for name in action.option_strings)
    for action in node.positionals:
        if action.choices:
            yield "", [str(one) for one in action.choices]


_FUNCTION = """
_purebpf() {{
    local prev=${{{words}[{current}-1]}} at= i word
    for ((i = {first}; i < {current}; i++)); do
        word=${{{words}[i]}}
        [[ -n ${{_purebpf_words[$at $word]+x}} ]] && at="$at $word"
    done
    if [[ -n ${{_purebpf_choices[$at $prev]+x}} ]]; then
        _purebpf_give "${{_purebpf_choices[$at $prev]}}"
    else
        _purebpf_give "${{_purebpf_words[${{at:--}}]}} ${{_purebpf_choices[$at ]}}"
    fi
}}
"""


def _tables() -> Iterator[tuple[str, str, str]]:
    """(table, key, words): what may follow a path, and the values of an option. The key of the command itself is "-"."""
    for node in nodes(whole()):
        path = f" {node.path}" if node.path else ""
        yield "_purebpf_words", path or "-", " ".join(_words(node))
        for option, words in _choices(node):
            yield "_purebpf_choices", f"{path} {option}", " ".join(words)


def bash() -> str:
    """The script for bash (4 or later)."""
    rows = "\n".join(f'{table}["{key}"]="{words}"' for table, key, words in _tables())
    return ("# Completion of purebpf for bash.\ndeclare -gA _purebpf_words _purebpf_choices\n" + rows
            + '\n_purebpf_give() { COMPREPLY=($(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")); }'
            + _FUNCTION.format(words="COMP_WORDS", current="COMP_CWORD", first=1) + "complete -o default -F _purebpf purebpf\n")


def zsh() -> str:
    """The script for zsh, as a file _purebpf of its fpath, or to be evaluated."""
    rows = "\n".join(f"{table}+=('{key}' \"{words}\")" for table, key, words in _tables())
    return ("#compdef purebpf\ntypeset -gA _purebpf_words _purebpf_choices\n" + rows
            + "\n_purebpf_give() { compadd -- ${=1}; _files; }"
            + _FUNCTION.format(words="words", current="CURRENT", first=2)
            + 'if [[ $funcstack[1] == _purebpf ]]; then _purebpf "$@"; else compdef _purebpf purebpf; fi\n')


def fish() -> str:
    """The script for fish."""
    lines = ["# Completion of purebpf for fish."]
    for node in nodes(whole()):
        path = node.path.split()
        seen = [f"__fish_seen_subcommand_from {word}" for word in path]
        for name, summary in node.subcommands.items():
            others = f"not __fish_seen_subcommand_from {' '.join(node.subcommands)}"
            lines.append(_fish("; and ".join([*seen, others]), f"-f -a {name}", summary))
        for action in node.options:
            words = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in action.option_strings)
            choices = f" -x -a '{' '.join(map(str, action.choices))}'" if action.choices else " -r" if action.nargs != 0 else ""
            lines.append(_fish("; and ".join(seen), words + choices, action.help or ""))
    return "\n".join(lines) + "\n"


def _fish(when: str, what: str, summary: str) -> str:
    summary = summary.replace("\\", "\\\\").replace("'", "\\'").replace("%%", "%")
    return "complete -c purebpf" + (f" -n '{when}'" if when else "") + f" {what}" + (f" -d '{summary}'" if summary else "")


SHELLS: dict[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
