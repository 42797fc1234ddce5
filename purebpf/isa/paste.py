"""Text that other tools printed, made into assembly: comments go, and so do the columns of listings.

    verifier log, bpftool   3: (bf) r1 = r2              ; R1_w=scalar() R2=ctx()
    llvm-objdump            3:  bf 21 00 00 00 00 00 00  r1 = r2
                            0000000000000018 <LBB0_2>:
                            0000000000000008:  R_BPF_64_64  counts

Columns are kept: what is taken out in front of an instruction is replaced by blanks. A log shows an instruction once
for every path that reaches it; each is taken once, in the order of the numbers.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from .unit import RawSlot

_COMMENT: Final = re.compile(r"""
    ( ^[ \t]* \.?[a-z]+ \b [^{};\#"'/\n]* \{ (?: [^{}] | \{ (?: [^{}] | \{ [^{}]* \} )* \} )* \} )   # a declaration
  | ( "(?: [^"\\\n] | \\. )*" | '(?: [^'\\\n] | \\. )+' )
  | ( /\* .*? (?: \*/ | \Z ) )
  | //[^\n]* | ;[^\n]* | (?<!\w)\#[^\n]* | (?<=\w)\#(?!\d)[^\n]*
""", re.VERBOSE | re.MULTILINE | re.DOTALL)
_INNER: Final = re.compile(r"/\*.*?\*/|//[^\n]*|#[^\n]*", re.DOTALL)

_LOG: Final = re.compile(r"^\s*(\d+): (?:[.\d]{10,11} )?\(([0-9a-f]{2})\) ", re.ASCII)
_LOG_KEEP: Final = re.compile(r"^\s*(?:\.\w|[A-Za-z_][\w.$]*:\s*$)", re.ASCII)
_LIST: Final = re.compile(r"^\s*[0-9a-f]+:\s+((?:[0-9a-f]{2} ){7}[0-9a-f]{2}(?: (?:[0-9a-f]{2} ){7}[0-9a-f]{2})?)(?:\s+|$)")
_LIST_PLAIN: Final = re.compile(r"^\s*[0-9a-f]+:\t\s*")
_LIST_LABEL: Final = re.compile(r"^[0-9a-f]{8,16} <([^>]*)>:\s*$")
_LIST_SECTION: Final = re.compile(r"^Disassembly of section (.*):\s*$")
_LIST_RELOCATION: Final = re.compile(r"^\s*[0-9a-f]{8,16}:\s+R_BPF_\w+\s+(\S+)\s*$")
_LIST_REMARK: Final = re.compile(r"^\s*[0-9a-f]{8,16}:\s+CO-RE <")
_TARGET: Final = re.compile(r"\s*<[^<>]*>\s*$")
_IMM64: Final = re.compile(r"(= (?:0x[0-9a-f]+|-?\d+))\s*$")


class Listed(NamedTuple):
    """What a listing shows beside the text of a line: the bytes, or the symbol of a relocation."""

    data: bytes = b""
    relocation: str = ""

    def insns(self, byteorder: str) -> list[RawSlot]:
        """The slots of the bytes."""
        little = byteorder == "little"
        return [RawSlot(code, regs & 15 if little else regs >> 4, regs >> 4 if little else regs & 15, off, imm)
                for code, regs, off, imm in struct.iter_unpack("<BBhi" if little else ">BBhi", self.data)]


def prepare(text: str) -> tuple[list[str], dict[int, Listed]]:
    """The lines without comments and columns, and by line index what a listing shows beside them."""
    is_log = any(_LOG.match(line) for line in text.splitlines()[:4000]) if "(" in text and ": (" in text else False
    is_list = "Disassembly of section " in text or "file format elf64-bpf" in text or bool(
        re.search(_LIST.pattern, text, re.MULTILINE))
    if is_list:
        return _listing(text)
    if any(mark in text for mark in ";#\"'/"):
        text = _COMMENT.sub(_cut, text)
    lines = text.split("\n")
    if is_log:
        return _log(lines), {}
    if "<" in text:
        lines = [_TARGET.sub("", line) if line.rstrip().endswith(">") else line for line in lines]
    return lines, {}


def _cut(match: re.Match[str]) -> str:
    declaration, string, block = match.groups()
    if declaration is not None:
        return _INNER.sub(lambda m: "\n" * m[0].count("\n"), declaration)
    if string is not None:
        return string
    return re.sub(r"[^\n]", " ", block) if block is not None else ""


def _log(lines: list[str]) -> list[str]:
    """Instruction lines of a log in the order of their numbers, each once; other lines become empty. Where a number has
    two different instructions it is several logs or a selection: then every line is taken as it comes."""
    found: dict[int, str] = {}
    taken: list[tuple[int, int, str]] = []  # line index, number, instruction
    one_program = True
    for index, line in enumerate(lines):
        match = _LOG.match(line)
        if match is None:
            continue
        rest = line[match.end():].replace("call kernel-function#", "call kfunc ")
        if match[2] == "18":
            rest = _IMM64.sub(r"\1 ll", rest)
        number = int(match[1])
        one_program = one_program and found.setdefault(number, rest.strip()) == rest.strip()
        taken.append((index, number, " " * match.end() + rest))
    out = [line if _LOG_KEEP.match(line) and not _LOG.match(line) else "" for line in lines]
    if not one_program:
        for index, _, text in taken:
            out[index] = text
        return out
    first = {number: (index, text) for index, number, text in reversed(taken)}
    for (index, _), number in zip(sorted(first.values()), sorted(first)):
        out[index] = first[number][1]
    return out


def _listing(text: str) -> tuple[list[str], dict[int, Listed]]:
    out: list[str] = []
    listed: dict[int, Listed] = {}
    seen: set[str] = set()
    for index, line in enumerate(_COMMENT.sub(_cut, text).split("\n")):
        out.append("")
        if match := _LIST.match(line):
            listed[index] = Listed(bytes.fromhex(match[1]))
            out[index] = " " * match.end() + _TARGET.sub("", line[match.end():])
            if line[match.end():].lstrip().startswith("<unknown>"):
                out[index] = ""
        elif match := _LIST_RELOCATION.match(line):
            listed[index] = Listed(relocation=match[1])
        elif match := _LIST_LABEL.match(line):
            if match[1] not in seen and re.fullmatch(r"[A-Za-z_.$][\w.$]*", match[1], re.ASCII):
                seen.add(match[1])
                out[index] = f"{match[1]}:"
        elif match := _LIST_SECTION.match(line):
            out[index] = f'.section "{match[1]}"'
            seen.discard(match[1])
        elif match := _LIST_PLAIN.match(line):
            out[index] = " " * match.end() + _TARGET.sub("", line[match.end():])
        elif "file format elf64-bpf" not in line and not _LIST_REMARK.match(line):
            out[index] = line
    return out, listed
