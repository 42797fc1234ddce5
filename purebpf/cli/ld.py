"""`purebpf ld A.o B.o … -o C.o`: several objects, compiled by whomever, become one."""

from __future__ import annotations

import argparse

from . import target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", nargs="+", metavar="FILE", help="objects, or Python files, which are compiled")
    target.add_arguments(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.o", help="where to write the object")
    parser.epilog = "examples: purebpf ld one.o two.o -o both.o"


def run(args: argparse.Namespace) -> int:
    import os

    from .. import elf
    from ..linker import link

    specs = []
    for path in args.inputs:
        if path.endswith(".py"):
            from .program import compile_file

            specs.append(compile_file(path, target=target.chosen(args)).spec)
        else:
            specs.append(elf.read(path))
    spec = link(specs, args.inputs, os.path.basename(args.output).partition(".")[0])
    elf.save(spec, args.output)
    print(f"{args.output}: {len(spec.programs)} programs, {len(spec.functions)} functions, {len(spec.maps)} maps")
    return 0
