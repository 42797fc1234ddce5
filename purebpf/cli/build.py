"""`purebpf build FILE.py`: compile to an object file."""

from __future__ import annotations

import argparse
import os


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE… [-o OUT] [--cpu N] [--license L]"""
    parser.add_argument("files", nargs="+", metavar="FILE.py")
    parser.add_argument("-o", "--output", help="the object file; a directory if there are several (default: FILE.o here)")
    parser.add_argument("--cpu", type=int, default=3, choices=(1, 2, 3, 4), help="instruction set version (default 3)")
    parser.add_argument("--license", default="GPL")
    parser.add_argument("--stats", action="store_true", help="print instructions per program")


def run(args: argparse.Namespace) -> int:
    """Compile each file and write its object."""
    from .. import elf
    from .program import compile_file

    for path in args.files:
        compiled = compile_file(path, cpu=args.cpu, license=args.license)
        out = _output(path, args.output, len(args.files) > 1)
        elf.save(compiled.spec, out)
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
