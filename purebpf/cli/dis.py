"""`purebpf dis IN`: objects, raw bytes, hex, or a program in the kernel, as text that assembles again."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from ..errors import DecodeError, FormatError
from ..target import MACHINES
from .target import MACHINE

if TYPE_CHECKING:
    from ..listing import Routine, Style


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", nargs="?",
                        help="an ELF object, raw code or hex digits, told apart by their content; - reads standard input")
    kernel = parser.add_argument_group("a program in the kernel, instead of IN").add_mutually_exclusive_group()
    kernel.add_argument("--id", type=int, metavar="N", help="by its id")
    kernel.add_argument("--name", metavar="NAME", help="by its name")
    kernel.add_argument("--pinned", metavar="PATH", help="by its pin on a bpffs")
    parser.add_argument("--jited", action="store_true", help="show the machine code the kernel runs, as hex")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", dest="form", action="store_const", const="raw", help="IN is raw code")
    form.add_argument("--hex", dest="form", action="store_const", const="hex", help="IN is hex digits")
    form.add_argument("--elf", dest="form", action="store_const", const="elf", help="IN is an object")
    form.add_argument("--cbpf", dest="form", action="store_const", const="cbpf",
                      help="IN is classic BPF: the output of tcpdump -ddd, or the text of bpf_asm")
    parser.add_argument("--ebpf", action="store_true", help="with --cbpf: show the translation to eBPF")
    parser.add_argument("--notation", choices=("kernel", "mnemonic"), default="kernel", help="which notation to write")
    parser.add_argument("--section", metavar="NAME", help="only this section of an object")
    parser.add_argument("--target", default="bpf", choices=sorted(MACHINES), help=f"byte order of IN, where that does not say it: {MACHINE}")
    parser.add_argument("--big-endian", dest="target", action="store_const", const="bpfeb", help="the same as --target bpfeb")
    parser.add_argument("--source", action="store_true", help="interleave the source lines that BTF tells")
    parser.add_argument("--bytes", action="store_true", help="add slot and bytes to every line, as a comment")
    parser.add_argument("--whole", action="store_true",
                        help="with an object: write all of it, so that asm makes the same object again")
    parser.add_argument("--diff", metavar="OTHER", help="how the listing of OTHER differs from that of IN")
    parser.add_argument("--no-labels", dest="labels", action="store_false", help="write branches as distances")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--cfg", metavar="OUT", help="write the control-flow graph instead: DOT, or SVG if OUT ends so")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="(default: on a terminal)")
    parser.epilog = "examples: purebpf dis count.o --source    purebpf dis --name on_openat"


def run(args: argparse.Namespace) -> int:
    live = args.id is not None or args.name is not None or args.pinned is not None
    if live == (args.input is not None):
        raise FormatError("give either IN or one of --id, --name, --pinned")
    if args.jited and not live:
        raise FormatError("--jited needs a program in the kernel: --id, --name or --pinned")
    if args.form == "cbpf":
        return _classic(args)
    from ..assembler import helper_names
    from ..listing import Style

    declarations: list[str] | None = None
    after: list[str] = []
    if live:
        routines = _live(args)
        if routines is None:
            return 0
    else:
        routines, declarations, after = _file(args)
    colour = args.color == "always" or (args.color == "auto" and sys.stdout.isatty() and not args.json)
    style = Style(args.notation, args.labels, args.source, args.bytes, helper_names(), colour, bool(args.whole or after))
    if args.diff is not None:
        return _differences(args, routines, style._replace(colour=False, core=args.whole), declarations)
    _print(args, routines, style, declarations, after)
    return 0


def _differences(args: argparse.Namespace, routines: list[Routine], style: Style, declarations: list[str] | None) -> int:
    """A unified diff of two listings; 1 if there is one."""
    from difflib import unified_diff

    from .. import listing

    other = argparse.Namespace(**{**vars(args), "input": args.diff})
    more, declared, _ = _file(other)
    texts = (listing.text(routines, style, declarations), listing.text(more, style, declared))
    first, second = (text.splitlines(keepends=True) for text in texts)
    found = list(unified_diff(first, second, args.input, args.diff, n=2))
    _write("".join(found))
    return 1 if found else 0


def _print(args: argparse.Namespace, routines: list[Routine], style: Style, declarations: list[str] | None, after: list[str]) -> None:
    from .. import listing

    if args.cfg is not None:
        _graph(listing.graph(routines, style), args.cfg)
    elif args.json:
        import json

        json.dump({"functions": listing.as_json(routines, style), "declarations": declarations or []}, sys.stdout, indent=1)
        print()
    else:
        _write(listing.text(routines, style, declarations, after))


def _write(text: str) -> None:
    """Text to stdout, whatever bytes names are made of."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))


def _file(args: argparse.Namespace) -> tuple[list[Routine], list[str] | None, list[str]]:
    """The routines of IN, and the lines before and after them if it is an object."""
    from .. import listing

    data = _read(args.input)
    after: list[str] = []
    form = args.form or _guess(data)
    if form == "elf":
        from .. import elf

        try:
            spec = elf.read(data)
        except FormatError as error:
            routines, declarations = _sections(data, error), []
        else:
            routines, declarations = listing.routines_of_object(spec), listing.header(spec, args.whole)
            after = [] if args.whole else listing.footer(spec)
        if args.section is not None:
            names = sorted({r.section for r in routines})
            routines = [r for r in routines if r.section == args.section]
            if not routines:
                raise FormatError(f"{args.input} has no code in section {args.section!r}; it has {', '.join(names) or 'none'}")
        return routines, declarations, after
    code = _from_hex(data) if form == "hex" else data
    order = MACHINES[args.target].name
    try:
        return listing.routines_of_code(code, order), None, after
    except DecodeError:
        if len(code) % 8 or args.json or args.cfg:
            raise
    from ..isa.text import disassemble  # an ld_imm64 is cut in half: slot by slot

    _write(disassemble(code, args.notation, order))
    return [], None, after


def _sections(data: bytes, error: FormatError) -> list[Routine]:
    """The code of an object that is none for libbpf: its sections as they are, symbols of relocations as comments.
    Raises `error` again if there is no code at all."""
    from .. import listing
    from ..elf import reader

    file = reader.parse(data)
    out: list[Routine] = []
    for index, section in enumerate(file.sections):
        if not section.flags & 4 or not section.data:
            continue
        names = {s.value // 8: s.name for s in file.symbols if s.section == index and s.type == 2 and s.name}
        notes = {offset // 8: f"refers to {symbol.name or file.sections[max(0, symbol.section)].name}"
                 for offset, symbol, _ in section.relocations}
        made = listing.routines_of_code(section.data, file.order.name, names, {}, notes, section.name, notes)
        out += _with_symbols(made, {offset // 8: symbol.name or file.sections[max(0, symbol.section)].name
                                    for offset, symbol, _ in section.relocations})
    if not out:
        raise error
    print(f"purebpf: {error}: showing the code as it is", file=sys.stderr)
    return out


def _with_symbols(routines: list[Routine], symbols: dict[int, str]) -> list[Routine]:
    """The routines with what relocated instructions refer to by name, so that nothing assembles to a number that it is not."""
    from ..isa.insn import ExternRef
    from ..isa.opcodes import CALL, JMP, LD_IMM64

    out, slot = [], 0
    for routine in routines:
        insns = []
        for insn in routine.insns:
            named = slot in symbols and insn.code in (LD_IMM64, JMP | CALL)
            insns.append(insn._replace(ref=ExternRef(symbols[slot])) if named else insn)
            slot += insn.slots
        out.append(routine._replace(insns=tuple(insns)))
    return out


def _read(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    with open(path, "rb") as file:
        return file.read()


def _guess(data: bytes) -> str:
    """What the bytes are: an object, hex text, or code."""
    if data[:4] == b"\x7fELF":
        return "elf"
    return "hex" if re.fullmatch(rb"(?:[\s,{}();\"']|b(?=[\"'])|0x|\\x|[0-9a-fA-F]{2})*", data) and data.strip() else "raw"


def _from_hex(data: bytes) -> bytes:
    """Hex digits in any of the usual dresses: `b7 00`, `b700`, `0xb7, 0x00`, `\\xb7\\x00`."""
    digits = re.sub(rb"b(?=[\"'])|0x|\\x|[\s,{}();\"']", b"", data)
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except (ValueError, UnicodeDecodeError) as error:
        raise DecodeError(f"no hex digits: {error}") from None


def _live(args: argparse.Namespace) -> list[Routine] | None:
    """The routines of a program in the kernel; None if its machine code was printed instead."""
    from ..listing import routines_of_code
    from . import live

    with live.find(args.id, args.name, args.pinned) as fd:
        found = live.read(fd)
    if args.jited:
        if not found.jited:
            raise FormatError(f"the kernel does not show the machine code of program {found.id}",)
        _write("".join(found.jited[i:i + 16].hex(" ") + "\n" for i in range(0, len(found.jited), 16)))
        return None
    if not found.xlated:
        raise FormatError(f"the kernel does not show the code of program {found.id}: it needs CAP_BPF and kptr_restrict")
    from ..loader.sys import BYTEORDER

    names = found.names or {0: found.name}
    return routines_of_code(found.xlated, BYTEORDER, names, found.sources, found.notes)


def _classic(args: argparse.Namespace) -> int:
    from ..isa import cbpf

    if args.input is None:
        raise FormatError("--cbpf reads IN")
    text = _read(args.input).decode("utf-8", "replace")
    program = cbpf.parse_any(text, "<stdin>" if args.input == "-" else args.input)
    _write(cbpf.as_assembly(program, args.notation) if args.ebpf else cbpf.disassemble(program))
    return 0


def _graph(dot: str, path: str) -> None:
    """Write a graph; SVG by Graphviz if the name asks for it."""
    if path.endswith(".svg"):
        import shutil
        import subprocess

        program = shutil.which("dot")
        if program is None:
            raise FormatError("SVG needs Graphviz, which is not installed: write DOT, --cfg OUT.dot")
        done = subprocess.run([program, "-Tsvg", "-o", path], input=dot.encode("utf-8", "surrogateescape"),
                              stderr=subprocess.PIPE, check=False)
        if done.returncode:
            raise FormatError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip()}")
    elif path == "-":
        _write(dot)
    else:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(dot)
