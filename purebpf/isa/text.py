"""Insn -> text, from the templates of the table: one instruction, or a whole program. `asm` reads it back.

What is written assembles to the same bytes, in our assembler for any code at all, in llvm-mc for what LLVM knows. Slots
that are no instruction (a reserved field in use, an unknown opcode) are written as `.insn code, dst, src, off, imm`.

    kernel     r1 = *(u32 *)(r2 + 8)      if w1 s> 5 goto +3      lock *(u64 *)(r1 + 0) += r2
    mnemonic   ldxw %r1, [%r2+8]          jsgt32 %r1, 5, +3       lock add [%r1+0], %r2
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, Callable, Final, Mapping, NamedTuple

from ..errors import DecodeError
from .grammar import SLOT
from .insn import CoreRef, DataRef, ExternRef, Insn, Label
from .opcodes import CALL, JMP, JMP32, LD_IMM64
from .table import BY_CODE, Row, lookup

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF

# slot -> (printf directive, index into (dst, src, off, imm, half or word, other half or word))
_PRINT: Final = {
    "d": ("r%d", 0), "s": ("r%d", 1), "wd": ("w%d", 0), "ws": ("w%d", 1), "o": (" + %d", 2), "j": ("%+d", 2),
    "k": ("%d", 2), "i": ("%d", 3), "u": ("%d", 3), "x": ("%d", 3), "m": ("%d", 3), "I": ("%#x", 3), "J": ("%+d", 3),
    "f": ("%+d", 3), "a": ("%d", 4), "b": ("%d", 5), "l": ("%d", 4), "h": ("%d", 5),
}
_BRANCH: Final = ("j", "J", "f")
Fields = tuple[int, int, int, int, int, int]


class Style(NamedTuple):
    """How one row is written in one notation. `show(fields)` is the text; `below` the same for a negative offset, whose
    absolute value is shown ("r1 - 8"), or None."""

    row: Row
    template: str
    show: Callable[[Fields], str]
    below: Callable[[Fields], str] | None


@cache
def style(row: Row, notation: str) -> Style:
    """The output form of a row: the first template of the notation."""
    kernel = notation == "kernel"
    template = (row.kernel if kernel else row.mnemonic)[0]
    show = _printer(template, kernel, " + " if kernel else "+")
    if kernel and "{m}" in template and len(row.kernel) > 1:  # LLVM reads skb[r2 + 4] without a number only
        bare, full = _printer(row.kernel[1], kernel, ""), show
        return Style(row, template, lambda f: bare(f) if f[3] == 0 else full(f), None)
    return Style(row, template, show, _printer(template, kernel, " - " if kernel else "-") if "{o}" in template else None)


def _printer(template: str, kernel: bool, sign: str) -> Callable[[Fields], str]:
    text, indexes = "", []
    for n, part in enumerate(SLOT.split(template)):
        if n % 2 == 0:
            text += part.replace("%", "%%")
        elif part in ("r0", "w0"):
            text += part
        else:
            directive, index = _PRINT[part]
            directive = sign + "%d" if part == "o" else directive
            text += directive if kernel or part not in ("d", "s") else "%%" + directive
            indexes.append(index)
    if not indexes:
        return lambda fields, text=text: text  # type: ignore[misc]
    wanted = tuple(indexes)
    if len(wanted) == 1:
        (a,) = wanted
        return lambda f: text % f[a]
    if len(wanted) == 2:
        a, b = wanted
        return lambda f: text % (f[a], f[b])
    return lambda f: text % tuple([f[i] for i in wanted])


def _fields(code: int, dst: int, src: int, off: int, imm: int) -> Fields:
    if code == LD_IMM64:
        imm &= _M64
        return dst, src, off, imm, _signed(imm & _M32), _signed(imm >> 32)
    return dst, src, off, imm, imm >> 16 & 0xFFFF, imm & 0xFFFF


def _signed(word: int) -> int:
    return word - (word >> 31 << 32)


def raw_text(code: int, dst: int, src: int, off: int, imm: int) -> str:
    """One slot as a directive, whatever it holds."""
    return f".insn {code:#04x}, {dst}, {src}, {off}, {imm}"


def format_insn(insn: Insn, notation: str = "kernel", *, target: str | None = None,
                helpers: Mapping[int, str] | None = None) -> str:
    """One instruction as text. References appear by name; `target` is the text of the place a branch or local call goes
    to, instead of its distance; `helpers` names helper calls (id -> name).

    An ld_imm64 that is no row of the table gives two lines."""
    code, dst, src, off, imm, ref = insn
    if code != LD_IMM64:
        imm = _signed(imm & _M32)
    row = lookup(code, dst, src, off, imm)
    if ref is not None and not isinstance(ref, CoreRef):
        row = _row_of_reference(insn) or row
    if row is None:
        if code == LD_IMM64:
            return raw_text(code, dst, src, off, _signed(imm & _M32)) + "\n" + raw_text(0, 0, 0, 0, _signed(imm >> 32 & _M32))
        return raw_text(code, dst, src, off, imm)
    kernel = notation == "kernel"
    name = None
    if ref is not None and not isinstance(ref, CoreRef):
        name = _symbol(insn)
    elif row.name == "call_helper" and helpers:
        name = helpers.get(imm)
    elif target is not None:
        name = target
    if name is not None:
        return _with_name(row, notation, name, _fields(code, dst, src, off, imm), kernel)
    chosen = style(row, notation)
    if off < 0 and chosen.below is not None:
        return chosen.below((dst, src, -off, imm, 0, 0))
    return chosen.show(_fields(code, dst, src, off, imm))


def _row_of_reference(insn: Insn) -> Row | None:
    """With a reference, the fields it stands for hold nothing yet: the form without them tells more."""
    if insn.code == LD_IMM64:
        return lookup(LD_IMM64, insn.dst, 0)
    if insn.code == JMP | CALL and not isinstance(insn.ref, Label):
        return lookup(JMP | CALL)
    return lookup(insn.code, insn.dst, insn.src, insn.off, insn.imm)


def _symbol(insn: Insn) -> str:
    ref = insn.ref
    if isinstance(ref, DataRef):
        addend = f" + {ref.offset}" if ref.offset and not ref.symbol else ""
        return (ref.symbol or ref.section) + addend
    assert ref is not None and not isinstance(ref, CoreRef)
    if isinstance(ref, ExternRef) and ref.offset:
        return f"{ref.name} + {ref.offset}"
    return ref.name


def _with_name(row: Row, notation: str, name: str, fields: Fields, kernel: bool) -> str:
    """The text of an instruction in which `name` stands for the number of a branch, call or address."""
    template = style(row, notation).template
    if row.name == "call_local":
        template = "call {f}" if kernel else "call local {f}"
    elif row.name == "callx" or not any(f"{{{slot}}}" in template for slot in (*_BRANCH, "x", "I")):
        return style(row, notation).show(fields)

    def put(slot: str) -> str:
        if slot in (*_BRANCH, "x", "I"):
            return name
        directive, index = _PRINT[slot]
        return ("" if kernel or slot not in ("d", "s") else "%") + directive % fields[index]

    return SLOT.sub(lambda m: put(m[1]), template)


@cache
def _candidates(notation: str) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple((row.dst, row.src, row.off, row.imm, style(row, notation).show, style(row, notation).below)
                       for row in rows) for rows in BY_CODE)


def lines(code: bytes, notation: str = "kernel", byteorder: str = "little") -> list[str]:
    """One text per instruction (two for an ld_imm64 that is none). DecodeError if `code` is no whole number of slots."""
    if len(code) % 8:
        raise DecodeError(f"code of {len(code)} bytes is no whole number of 8-byte slots", position=len(code) & ~7)
    little = byteorder == "little"
    candidates = _candidates(notation)
    out: list[str] = []
    add = out.append
    slots = struct.iter_unpack("<BBhi" if little else ">BBhi", code)
    low = None  # the first slot of an ld_imm64
    for op, regs, off, imm in slots:
        dst, src = (regs & 15, regs >> 4) if little else (regs >> 4, regs & 15)
        if low is not None or op == LD_IMM64:
            low = _wide(add, low, (op, dst, src, off, imm), notation)
            continue
        add(_narrow(candidates[op], op, dst, src, off, imm))
    if low is not None:
        add(raw_text(*low))
    return out


def _narrow(candidates: tuple[Any, ...], op: int, dst: int, src: int, off: int, imm: int) -> str:
    """The text of one slot, given the rows of its opcode."""
    if dst <= 10 and src <= 10:
        for rdst, rsrc, roff, rimm, show, below in candidates:
            if ((rimm is None or rimm == imm) and (roff is None or roff == off) and (rsrc is None or rsrc == src)
                    and (rdst is None or rdst == dst)):
                if off < 0 and below is not None:
                    return below((dst, src, -off, imm))  # type: ignore[no-any-return]
                return show((dst, src, off, imm, imm >> 16 & 0xFFFF, imm & 0xFFFF))  # type: ignore[no-any-return]
    return raw_text(op, dst, src, off, imm)


Slot = tuple[int, int, int, int, int]


def _wide(add: Callable[[str], None], low: Slot | None, slot: Slot, notation: str) -> Slot | None:
    """Take one more slot, given the pending first slot of an ld_imm64 or None; returns what is pending now."""
    if low is None:
        return slot
    if slot[:4] == (0, 0, 0, 0):
        value = (low[4] & _M32) | (slot[4] & _M32) << 32
        for text in format_insn(Insn(*low[:4], value), notation).split("\n"):
            add(text)
        return None
    add(raw_text(*low))
    if slot[0] == LD_IMM64:
        return slot
    if lookup(*slot) is None:
        add(raw_text(*slot))
    else:
        add(format_insn(Insn(*slot), notation))
    return None


def disassemble(code: bytes, notation: str = "kernel", byteorder: str = "little", *, labels: bool = False) -> str:
    """Machine code as text, one instruction a line, in the "kernel" or the "mnemonic" notation.

    `assemble` of the result gives `code` again, for any whole number of slots. With `labels`, branches go to names
    (L1, L2, … in text order) instead of distances. DecodeError if `code` ends inside a slot."""
    if notation not in ("kernel", "mnemonic"):
        raise ValueError(f"notation {notation!r} is not kernel or mnemonic")
    if labels:
        return _with_labels(code, notation, byteorder)
    text = lines(code, notation, byteorder)
    return "\n".join(text) + "\n" if text else ""


def branch_target(insn: Insn, slot: int) -> int | None:
    """The slot a jump or local call at `slot` goes to; None for other instructions."""
    row = lookup(insn.code, insn.dst, insn.src, insn.off, _signed(insn.imm & _M32)) if insn.code != LD_IMM64 else None
    if row is None:
        return None
    template = row.kernel[0]
    if "{j}" in template:
        return slot + 1 + insn.off
    if "{J}" in template or "{f}" in template:
        return slot + 1 + _signed(insn.imm & _M32)
    return None


def _with_labels(code: bytes, notation: str, byteorder: str) -> str:
    from .codec import decode  # text alone needs no Insn

    try:
        insns = decode(code, byteorder)
    except DecodeError:
        return disassemble(code, notation, byteorder)
    starts: dict[int, int] = {}
    slot = 0
    for index, insn in enumerate(insns):
        starts[slot] = index
        slot += insn.slots
    starts[slot] = len(insns)
    slots = list(starts)
    goals = {branch_target(insn, at) for insn, at in zip(insns, slots)}
    names = {goal: f"L{n}" for n, goal in enumerate(sorted(g for g in goals if g in starts), 1)}
    out = []
    for insn, at in zip(insns, slots):
        if at in names:
            out.append(f"{names[at]}:")
        goal = branch_target(insn, at) if insn.code & 7 in (JMP, JMP32) else None
        out.append(format_insn(insn, notation, target=names.get(goal) if goal is not None else None))
    if slot in names:
        out.append(f"{names[slot]}:")
    return "\n".join(out) + "\n" if out else ""


