"""`purebpf build FILE.py`: compile to an object file."""

from __future__ import annotations

import argparse
import os

from . import target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE… [-o OUT] [--target T] [--cpu N] [--kernel X] [--explain] [--license L]"""
    parser.add_argument("files", nargs="+", metavar="FILE.py")
    parser.add_argument("-o", "--output", help="the object file; a directory if there are several (default: FILE.o here)")
    target.add_arguments(parser)
    parser.add_argument("--explain", action="store_true", help="print which kernel the object needs and why, and how loops were made")
    parser.add_argument("--license", default="GPL", help="of the programs (default GPL, which most helpers ask for)")
    parser.add_argument("--stats", action="store_true", help="print instructions per program")
    parser.epilog = "examples: purebpf build count.py    purebpf build count.py -o count.o --kernel 5.10"


def run(args: argparse.Namespace) -> int:
    """Compile each file and write its object."""
    from .. import elf
    from ..target import explain
    from .program import compile_file

    wanted = target.chosen(args)
    for path in args.files:
        compiled = compile_file(path, target=wanted, license=args.license)
        out = _output(path, args.output, len(args.files) > 1)
        elf.save(compiled.spec, out)
        for line in explain(wanted, compiled.needs) if args.explain else ():
            print(f"{out}: {line}")
        for name in compiled.spec.programs if args.stats else ():
            linked = compiled.spec.link(name)
            print(f"{out}: {name}: {sum(i.slots for i in linked.insns)} instructions")
    return 0


def _output(path: str, given: str | None, several: bool) -> str:
    name = os.path.splitext(os.path.basename(path))[0] + ".o"
    if given is None:
        return name
    if several or os.path.isdir(given):
        os.makedirs(given, exist_ok=True)
        return os.path.join(given, name)
    return given
