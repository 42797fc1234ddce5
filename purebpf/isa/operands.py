"""Operands into the fields of an instruction, with every range checked; the long way of the assembler."""

from __future__ import annotations

from typing import Final

from .expr import Problem, Sym, Value
from .grammar import Leaf
from .insn import Insn
from .opcodes import LD_IMM64, MOV

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF

# slot -> (field, lowest, highest, what the error calls it); unsigned values mean their bit pattern where they fit
_RANGES: Final = {
    "o": ("off", -0x8000, 0x7FFF, "a 16-bit offset"),
    "j": ("off", -0x8000, 0x7FFF, "a 16-bit jump distance"),
    "k": ("off", -0x8000, 0x7FFF, "16 bits"),
    "i": ("imm", -0x80000000, _M32, "a 32-bit immediate"),
    "u": ("imm", -0x80000000, _M32, "32 bits"),
    "x": ("imm", -0x80000000, _M32, "32 bits"),
    "m": ("imm", -0x80000000, _M32, "a 32-bit offset"),
    "J": ("imm", -0x80000000, _M32, "a 32-bit jump distance"),
    "f": ("imm", -0x80000000, _M32, "a 32-bit call distance"),
    "I": ("imm", -0x8000000000000000, _M64, "64 bits"),
    "a": ("high", 0, 0xFFFF, "an address space"),
    "b": ("low", 0, 0xFFFF, "an address space"),
    "l": ("low", -0x80000000, _M32, "32 bits"),
    "h": ("high", -0x80000000, _M32, "a 32-bit offset"),
}


def build(leaf: Leaf, values: list[Value], cols: list[int], line: str) -> tuple[Insn, list[tuple[str, Sym]]]:
    """The instruction, and the names left for later with the slots they stand in."""
    row = leaf.row
    insn = Insn(row.code, row.dst or 0, row.src or 0, row.off or 0, row.imm or 0)
    names: list[tuple[str, Sym]] = []
    seen: dict[str, int] = {}
    for slot, value, col in zip(leaf.slots, values, cols):
        if slot == "name":
            continue
        if slot in ("d", "s", "wd", "ws", "r0", "w0"):
            insn = _register(insn, slot, value, col, seen)
        elif isinstance(value, Sym):
            names.append((slot, value))
        else:
            if slot in ("o", "j") and 0x8000 <= value <= 0xFFFF and line[col:].lstrip("+ \t")[:2] in ("0x", "0X"):
                value -= 0x10000  # the field's bits, as bpf_conformance reads them
            insn = place(insn, slot, value, leaf, col)
    return insn, names


def _register(insn: Insn, slot: str, value: Value, col: int, seen: dict[str, int]) -> Insn:
    assert isinstance(value, int)
    letter = slot[-1]
    if letter == "0":
        if value:
            raise Problem("only register 0 can stand here", col, 2)
        return insn
    if seen.setdefault(letter, value) != value:
        raise Problem(f"the same register must stand here as before: {slot.replace('d', 'r').replace('s', 'r')[0]}"
                      f"{seen[letter]}", col, 2, code="same-register")
    return insn._replace(dst=value) if letter == "d" else insn._replace(src=value)


def place(insn: Insn, slot: str, value: int, leaf: Leaf, col: int, width: int = 1) -> Insn:
    """`insn` with a number in the field that the slot stands for; Problem if it does not fit."""
    field, lowest, highest, what = _RANGES[slot]
    if not lowest <= value <= highest:
        help = ""
        if slot == "i" and leaf.row.code & 0xF7 in (MOV | 7, MOV | 4):
            help = f"a 64-bit constant is loaded by: r{insn.dst} = {value:#x} ll"
        raise Problem(f"{value} does not fit {what}", col, width, help, "out-of-range")
    if field == "off":
        return insn._replace(off=value)
    if insn.code == LD_IMM64:
        if slot == "I":
            return insn._replace(imm=value & _M64)
        shift = 32 if field == "high" else 0
        return insn._replace(imm=insn.imm | (value & _M32) << shift)
    if field in ("high", "low"):
        imm = (insn.imm & _M32) | value << (16 if field == "high" else 0)
        return insn._replace(imm=_signed(imm))
    return insn._replace(imm=_signed(value & _M32))


def _signed(word: int) -> int:
    return word - (word >> 31 << 32)
