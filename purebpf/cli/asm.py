"""`purebpf asm IN.s -o OUT`: assembly text to an object, or to raw bytes, hex, a C array, a Python bytes literal."""

from __future__ import annotations

import argparse
import os
import sys

from ..errors import FormatError
from ..order import LITTLE, ORDERS
from ..target import MACHINES
from .target import MACHINE

FORMS = {"raw": "the code as raw bytes", "hex": "the code as hex digits, a line for every instruction",
         "c_array": "the code as an array of struct bpf_insn for C", "py_bytes": "the code as a Python bytes literal"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN.s", help="the text; - reads standard input")
    parser.add_argument("-o", "--output", metavar="OUT",
                        help="where to write; - is standard output (default: IN.o for an object, else standard output)")
    forms = parser.add_mutually_exclusive_group()
    for form, summary in FORMS.items():
        forms.add_argument("--" + form.replace("_", "-"), dest="form", action="store_const", const=form, help=summary)
    parser.add_argument("--notation", choices=("auto", "kernel", "mnemonic"), default="auto",
                        help="which notation to read (default: both)")
    parser.add_argument("--section", default=".text", metavar="NAME",
                        help="section of code that no .section precedes, such as xdp (default: .text)")
    parser.add_argument("--target", default="bpf", choices=sorted(MACHINES), help=f"byte order to write: {MACHINE}")
    parser.add_argument("--big-endian", dest="target", action="store_const", const="bpfeb", help="the same as --target bpfeb")
    parser.add_argument("--cbpf", action="store_true",
                        help="the text is classic BPF (bpf_asm, or tcpdump -ddd): translate it to a socket filter")
    parser.epilog = "examples: purebpf asm pass.s -o pass.o    purebpf asm pass.s --hex"


def run(args: argparse.Namespace) -> int:
    text, file = _read(args.input)
    byteorder = MACHINES[args.target].name
    if args.cbpf:
        from ..isa.cbpf import as_assembly, parse_any

        text = as_assembly(parse_any(text, file))
        args.section = "socket" if args.section == ".text" else args.section
    if args.form is None:
        return _object(args, text, file, byteorder)
    from ..assembler import constants, helper_ids, read_include
    from ..isa.asm import assemble

    code = assemble(text, args.notation, byteorder, file=file, helpers=helper_ids(), constants=constants(),
                    include=read_include)
    _write(args.output or "-", code if args.form == "raw" else _shown(code, args.form, byteorder).encode())
    return 0


def _object(args: argparse.Namespace, text: str, file: str, byteorder: str) -> int:
    output = args.output
    if output is None:
        if args.input == "-":
            raise FormatError("an object from standard input needs -o OUT")
        output = os.path.splitext(args.input)[0] + ".o"
        if output == args.input:
            raise FormatError(f"{output} would be written over: give -o OUT")
    from .. import elf
    from ..assembler import assemble_object

    _write(output, elf.write(assemble_object(text, file, args.notation, byteorder=byteorder, section=args.section)))
    return 0


def _read(path: str) -> tuple[str, str]:
    if path == "-":
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape"), "<stdin>"
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape"), path


def _write(path: str, data: bytes) -> None:
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from ..elf import replace

    replace(path, data)


def _shown(code: bytes, form: str, byteorder: str) -> str:
    """Code as text for other tools."""
    slots = [code[i:i + 8] for i in range(0, len(code), 8)]
    if form == "hex":
        return "".join(slot.hex(" ") + "\n" for slot in slots)
    if form == "py_bytes":
        lines = [f"    {_bytes_literal(slot)}\n" for slot in slots]
        return "(\n" + "".join(lines) + ")\n" if slots else 'b""\n'
    return _c_array(slots, byteorder)


def _bytes_literal(slot: bytes) -> str:
    return 'b"' + "".join(f"\\x{b:02x}" for b in slot) + '"'


def _c_array(slots: list[bytes], byteorder: str) -> str:
    from ..isa.text import lines

    out = ["static const struct bpf_insn prog[] = {"]
    code = b"".join(slots)
    texts, order = iter(lines(code, byteorder=byteorder)), ORDERS[byteorder]
    wide = False
    for slot in slots:
        regs = (slot[1] & 15, slot[1] >> 4) if order is LITTLE else (slot[1] >> 4, slot[1] & 15)
        off, imm = order.number(slot[2:4], signed=True), order.number(slot[4:], signed=True)
        remark = "" if wide else next(texts, "")
        wide = slot[0] == 0x18 and not wide and not remark.startswith(".insn")
        number = f"{imm}" if imm != -0x80000000 else "-2147483647 - 1"
        fields = f"{{ .code = {slot[0]:#04x}, .dst_reg = {regs[0]}, .src_reg = {regs[1]}, .off = {off}, .imm = {number} }},"
        out.append(f"\t{fields}" + (f" /* {remark.replace('*/', '* /')} */" if remark else ""))
    return "\n".join([*out, "};"]) + "\n"
