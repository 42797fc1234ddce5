"""`purebpf ir FILE.py`: the program between source and instructions, after any pass."""

from __future__ import annotations

import argparse
import time

from . import target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE [--after PASS] [--all] [--target T] [--cpu N] [--kernel X] [--verify] [--time]"""
    parser.add_argument("file", metavar="FILE.py")
    parser.add_argument("--after", default="", metavar="PASS", help="'check' (the tree before it is IR), 'frontend', or the name of a pass (default: the last)")
    parser.add_argument("--all", action="store_true", help="after every pass that changed something")
    target.add_arguments(parser)
    parser.add_argument("--verify", action="store_true", help="check the IR between passes")
    parser.add_argument("--time", action="store_true", help="milliseconds per pass, instead of the IR")
    parser.epilog = "examples: purebpf ir count.py    purebpf ir count.py --after check"


def run(args: argparse.Namespace) -> int:
    """Compile, and print what was asked for."""
    from ..errors import FormatError
    from ..ir.function import Module
    from ..ir.text import print_module
    from .program import compile_file, file_programs

    steps: list[tuple[str, str, float]] = []
    started = time.perf_counter()

    def observe(name: str, module: Module) -> None:
        nonlocal started
        spent = (time.perf_counter() - started) * 1e3
        steps.append((name, "" if args.time else print_module(module), spent))
        started = time.perf_counter()

    if args.after == "check":
        from ..api import choices
        from ..compiler import to_tree
        from ..tree.text import print_tree

        print(print_tree(to_tree(file_programs(args.file), choices(target=target.chosen(args))).programs), end="")
        return 0
    compile_file(args.file, target=target.chosen(args), verify=args.verify, observe=observe)
    if args.time:
        for name, _, spent in steps:
            print(f"{spent:8.2f} ms  {name}")
        return 0
    if args.all:
        last = ""
        for name, text, _ in steps:
            if text != last:
                print(f"# after {name}\n{text}")
            last = text
        return 0
    wanted = [text for name, text, _ in steps if not args.after or name == args.after]
    if not wanted:
        raise FormatError(f"no pass is called {args.after!r}; there are {', '.join(dict.fromkeys(n for n, _, _ in steps))}")
    print(wanted[-1])
    return 0
