"""`purebpf types X.o`: the types of an object's maps and variables, as classes of the language or as a C header."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="X.o", help="an object file")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write (default: standard output)")
    parser.add_argument("--c", action="store_true", help="write C")
    parser.epilog = "examples: purebpf types count.o    purebpf types count.o --c"


def run(args: argparse.Namespace) -> int:
    from .. import elf
    from ..btf import Btf
    from ..btf.classes import struct_classes
    from ..btf.ctext import c_header

    spec = elf.read(args.file)
    ids = [i for one in spec.maps.values() for i in (one.key_type, one.value_type) if i]
    ids += [v.type_id for d in spec.data.values() if d.name != ".kconfig" for v in d.vars if v.type_id]
    btf = spec.btf or Btf()
    text = c_header(btf, dict.fromkeys(ids)) if args.c else struct_classes(btf, dict.fromkeys(ids))
    if args.output is None:
        print(text, end="")
    else:
        elf.replace(args.output, text.encode())
    return 0
