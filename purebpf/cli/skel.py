"""`purebpf skel X.o`: a typed Python module that carries the object; with --c a header for C programs with libbpf."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="X.o", help="an object file")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write (default: standard output)")
    parser.add_argument("--c", action="store_true", help="write a header for C")
    parser.add_argument("--name", help="name of the object (default: the file's)")
    parser.epilog = "examples: purebpf skel count.o -o count_skel.py    purebpf skel count.o --c"


def run(args: argparse.Namespace) -> int:
    from .. import elf, skeleton

    spec = elf.read(args.file)
    text = (skeleton.c_header if args.c else skeleton.python)(spec, args.name or spec.name)
    if args.output is None:
        print(text, end="")
    else:
        elf.replace(args.output, text.encode())
    return 0
