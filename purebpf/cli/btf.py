"""`purebpf btf ACTION FILE…`: types of a kernel or an object: shown, searched, compared, merged, made small."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Callable, Iterable

from .output import add_json, show

if TYPE_CHECKING:
    from ..btf import Btf
    from ..btf.minimal import Need

ACTIONS = {
    "list": "what has types in the kernel: itself, its modules, and what programs brought",
    "dump": "every type, a line each", "c": "C declarations that compile to the same layout", "json": "every type as JSON",
    "find": "the types called NAME, in C", "diff": "how the types of two files differ",
    "dedup": "the types without repetitions, to -o", "merge": "the types of several files, without repetitions, to -o",
    "distill": "split BTF (a module's) with the few types of --base that it needs, to -o",
    "min": "the few of the kernel's types that OBJECTs need, to -o", "check": "whether OBJECTs will find what they need in kernels",
}


EXAMPLES = {"list": "", "dump": "count.o", "c": "--type task_struct", "json": "count.o", "find": "task_struct", "diff": "old.btf new.btf",
            "dedup": "count.o -o small.btf", "merge": "one.o two.o -o both.btf", "min": "count.o -o min.btf",
            "distill": "module.btf --base old.btf -o module.o",
            "check": "count.o --kernel-btf old.btf new.btf"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary in ACTIONS.items():
        sub = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".",
                                 epilog=f"example: purebpf btf {name} {EXAMPLES[name]}".rstrip())
        if name == "list":
            add_json(sub)
            continue
        if name == "find":
            sub.add_argument("name", metavar="NAME")
        if name == "distill":
            sub.add_argument("files", metavar="FILE")
        elif name in ("dump", "c", "json", "find", "dedup"):
            sub.add_argument("files", metavar="FILE", nargs="?", help="raw BTF or an ELF file, or the id "
                             "or name of BTF in the kernel (default: its own)")
        else:
            sub.add_argument("files", metavar="FILE", nargs=2 if name == "diff" else "+")
        if name in ("dedup", "merge", "distill", "min"):
            sub.add_argument("-o", "--output", required=True, metavar="OUT.btf")
        if name in ("dump", "c", "json", "find", "dedup", "distill"):
            sub.add_argument("--base", required=name == "distill", metavar="FILE", help="what split BTF (a module's) continues")
        if name == "c":
            sub.add_argument("--type", action="append", default=[], metavar="NAME", help="only these and what they need")
        if name == "diff":
            sub.add_argument("--type", action="append", default=[], metavar="NAME", help="only these")
            sub.add_argument("--object", action="append", default=[], metavar="OBJECT", help="what this object asks of both, instead of all types")
        if name in ("min", "check"):
            sub.add_argument("--kernel-btf", nargs="+", default=[], metavar="FILE", help="the kernels' types (default: the running one's)")


def run(args: argparse.Namespace) -> int:
    return _RUN[args.action](args)


def _open(path: str | None, base: str | None = None) -> Btf:
    """Raw BTF or an ELF file's; the running kernel's for None."""
    from ..btf import kernel

    if path is None:
        return kernel.vmlinux()
    if not os.path.exists(path) and "/" not in path:
        return _in_kernel(path)
    with open(path, "rb") as file:
        return kernel.parse(file.read(), _open(base) if base else None)


def _in_kernel(which: str) -> Btf:
    """BTF by its id or a module's name."""
    from ..btf import kernel
    from ..errors import FormatError
    from ..loader.listed import btfs

    found = [one for one in btfs() if which in (str(one.id), one.name)]
    if not found:
        raise FormatError(f"{which!r} is no file, and no BTF in the kernel has this id or name: see purebpf btf list")
    entry = found[0]
    if entry.name == "vmlinux":
        return kernel.vmlinux()
    return kernel.module(entry.name, kernel.vmlinux()) if entry.name else entry.open()


def _list(args: argparse.Namespace) -> int:
    from ..loader.listed import btfs

    show(({"id": e.id, "name": e.name, "kind": e.type, "bytes": e.info.btf_size,
           "held_by": [f"{p.comm}({p.pid})" for p in e.holders]} for e in btfs()), args.json)
    return 0


def _dump(args: argparse.Namespace) -> int:
    from ..btf.listed import as_lines

    _lines(as_lines(_open(args.files, args.base)))
    return 0


def _json(args: argparse.Namespace) -> int:
    import json

    from ..btf.listed import as_values

    rows = as_values(_open(args.files, args.base))
    print('{"types": [' + ",\n".join(json.dumps(row) for row in rows) + "]}")
    return 0


def _c(args: argparse.Namespace) -> int:
    from ..btf import types as t
    from ..btf.ctext import c_header

    btf = _open(args.files, args.base)
    kinds = (t.Struct, t.Union, t.Enum, t.Enum64, t.Typedef)
    ids: Iterable[int] = (i for i, one in btf.items() if isinstance(one, kinds) and (one.name or isinstance(one, t.Enum)))
    if args.type:
        ids = [i for name in args.type for i in _named(btf, name)]
    print("#pragma once\n")
    print(c_header(btf, ids), end="")
    return 0


def _named(btf: Btf, name: str) -> list[int]:
    from ..errors import FormatError

    word, _, bare = name.rpartition(" ")
    found = [i for i in btf.find_all(bare) if not word or _word(btf, i) == word]
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(bare, {str(getattr(one, "name", "")) for one in btf}, 1)
        raise FormatError(f"there is no type {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    return found


def _word(btf: Btf, type_id: int) -> str:
    from ..btf.container import kind_name

    return kind_name(btf, type_id).replace("enum64", "enum")


def _find(args: argparse.Namespace) -> int:
    from ..btf.container import kind_name
    from ..btf.ctext import CText
    from ..errors import BtfError

    btf = _open(args.files, args.base)
    for type_id in _named(btf, args.name):
        print(f"// [{type_id}] {kind_name(btf, type_id)}")
        try:
            print(CText(btf).definition(type_id))
        except BtfError:
            print(f"// {btf[type_id]!r}")
    return 0


def _diff(args: argparse.Namespace) -> int:
    from ..btf.listed import differences

    one, two = (_open(path) for path in args.files)
    found = list(_asked(one, two, args.object) if args.object else differences(one, two, tuple(args.type)))
    _lines(found)
    return 1 if found else 0


def _asked(one: Btf, two: Btf, objects: list[str]) -> Iterable[str]:
    """What objects ask for and two kernels answer differently, in the signs of `differences`."""
    from ..btf import core
    from ..btf.minimal import differences

    for a, b in differences(one, two, [need for path in objects for need in _needs(path)]):
        gone, new = (x.value is None for x in (b, a))
        sign = "-" if gone and not new else "+" if new and not gone else "~"
        what = f"{sign} {core.KIND_NAMES.get(a.need.kind, '')} {a.need.what}"
        yield what if sign != "~" else f"{what}: {a.problem or a.value} -> {b.problem or b.value}"


def _dedup(args: argparse.Namespace) -> int:
    from ..btf.dedup import dedup

    btf = _open(args.files, args.base)
    return _write(args.output, dedup(btf).btf, len(btf))


def _distill(args: argparse.Namespace) -> int:
    """An ELF file as the kernel's build makes of a module: .BTF and .BTF.base."""
    from ..btf.distill import distill
    from ..elf import replace
    from ..elf.image import Image
    from ..order import ORDERS

    whole = _open(args.files, args.base)
    split = distill(whole)
    assert split.base is not None
    image = Image(ORDERS[split.byteorder])
    image.section(".BTF", align=4, data=split.to_bytes())
    image.section(".BTF.base", align=4, data=split.base.to_bytes())
    replace(args.output, image.to_bytes())
    print(f"{args.output}: {len(split)} types on {len(split.base)} of the base's {whole.first - 1}")
    return 0


def _merge(args: argparse.Namespace) -> int:
    from ..btf.dedup import dedup, merge

    whole, _ = merge([_open(path) for path in args.files])
    return _write(args.output, dedup(whole).btf, len(whole))


def _write(path: str, btf: Btf, before: int) -> int:
    from ..elf import replace

    data = btf.to_bytes()
    replace(path, data)
    print(f"{path}: {len(btf)} of {before} types, {len(data)} bytes")
    return 0


def _needs(path: str) -> list[Need]:
    """The CO-RE relocations of an object."""
    from .. import elf
    from ..btf.minimal import Need
    from ..isa.insn import CoreRef

    spec = elf.read(path)
    if spec.btf is None:
        return []
    code = [*spec.functions.values(), *(p.func for p in spec.programs.values())]
    return [Need(spec.btf, *i.ref) for func in code for i in func.insns if isinstance(i.ref, CoreRef)]


def _min(args: argparse.Namespace) -> int:
    from ..btf.minimal import minimal

    kernel = _open(args.kernel_btf[0] if args.kernel_btf else None)
    return _write(args.output, minimal(kernel, [need for path in args.files for need in _needs(path)]), len(kernel))


def _check(args: argparse.Namespace) -> int:
    from ..btf.core import ENUMVAL_EXISTS, FIELD_EXISTS, TYPE_EXISTS
    from ..btf.minimal import answers

    bad = 0
    for kernel in args.kernel_btf or [None]:
        btf = _open(kernel)
        for path in args.files:
            needs = _needs(path)
            tested = {need.what for need in needs if need.kind in (FIELD_EXISTS, TYPE_EXISTS, ENUMVAL_EXISTS)}
            missing = [a for a in answers(btf, needs) if a.problem or a.value is None]
            needed = [a for a in missing if a.problem or a.need.what not in tested]
            bad += len(needed)
            print(f"{path} on {kernel or 'this kernel'}: {'lacks' if missing else 'finds all it asks for'}")
            for one in missing:
                note = f": {one.problem}" if one.problem else "" if one in needed else " (the program tests for it)"
                print(f"  {one.need.what}{note}")
    return 1 if bad else 0


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list, "dump": _dump, "c": _c, "json": _json, "find": _find, "diff": _diff, "dedup": _dedup, "merge": _merge, "distill": _distill, "min": _min,
    "check": _check}
