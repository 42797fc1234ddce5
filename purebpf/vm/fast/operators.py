"""Comparisons and shift counts as Python text, for the emitter."""

from __future__ import annotations

from typing import Final

from ...isa import opcodes as op
from ...isa.insn import Insn
from ..code import signed
from .facts import Num, State

MASKS: Final = {32: "0xFFFFFFFF", 64: "0xFFFFFFFFFFFFFFFF"}

_SIMPLE: Final = {
    op.JEQ: ("==", "!="), op.JNE: ("!=", "=="), op.JGT: (">", "<="), op.JGE: (">=", "<"), op.JLT: ("<", ">="),
    op.JLE: ("<=", ">"), op.JSGT: (">", "<="), op.JSGE: (">=", "<"), op.JSLT: ("<", ">="), op.JSLE: ("<=", ">"),
}
_SIGNED: Final = frozenset((op.JSGT, op.JSGE, op.JSLT, op.JSLE))


def compare(what: int, a: str, b: str, width: int, small: bool, constant: bool) -> tuple[str, str]:
    """(holds, does not hold) of a jump's condition on unsigned expressions. `small`: neither has its sign bit set;
    `constant`: `b` is a literal."""
    if what == op.JSET:
        return f"{a} & {b}", f"not {a} & {b}"
    yes, no = _SIMPLE[what]
    if what in _SIGNED and not small:
        top = 1 << (width - 1)
        if constant and what in (op.JSLT, op.JSGE) and int(b, 0) == 0:  # is it negative?
            negative, positive = f"{a} >= {top:#x}", f"{a} < {top:#x}"
            return (negative, positive) if what == op.JSLT else (positive, negative)
        a = f"{a} ^ {top:#x}"
        b = f"{int(b, 0) ^ top:#x}" if constant else f"{b} ^ {top:#x}"
    return f"{a} {yes} {b}", f"{a} {no} {b}"


def count_of(insn: Insn, state: State, width: int) -> int | None:
    """How far a shift goes, if that is known."""
    if not insn.code & op.X:
        return signed(insn.imm, 32) & (width - 1)
    kind = state[insn.src]
    return kind.const & (width - 1) if isinstance(kind, Num) and kind.const is not None else None
