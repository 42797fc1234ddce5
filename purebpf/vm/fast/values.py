"""Registers as Python variables: what an expression for one looks like, and when it must be cut to its width.

    exact      the number itself, in 0 … 2**64-1 (`_value`), or its low bits (`_low`)
    loose      right modulo 2**width only; what comes next may not care (`_loose`)
"""

from __future__ import annotations

from typing import Final

from ...isa import opcodes as op
from ...isa.insn import Insn
from ..code import signed
from ..memory import M32, M64
from .facts import STACK_SITE, Facts, Num, Ptr, State
from .flow import Flow
from .operators import MASKS
from .shape import Line

MOST_BITS: Final = 160  # a value may grow this far before it is cut


class Shared(Exception):
    """The stack is seen by others after all: write the function again with a real frame."""


class Values:
    """The state of one block while it is written: what facts.py says of each register, and what has not been cut yet.
    `private`: the stack is variables, so its address must not be asked for."""

    def __init__(self, flow: Flow, facts: Facts, private: bool) -> None:
        self.flow, self.facts, self.private = flow, facts, private
        self._state: State = []
        self._dirty: dict[int, tuple[int, int]] = {}  # register -> (right modulo 2**this, bits it may have)
        self._out: list[Line] = []
        self._pc = 0

    def _add(self, text: str) -> None:
        self._out.append(Line(text, self._pc))

    def _address(self, register: int, kind: Ptr) -> str:
        """The number that a pointer is."""
        if kind.site == STACK_SITE and self.private:
            raise Shared
        base = f"b{kind.site}"
        if kind.const is not None:
            return f"({base} + {kind.const} & {M64:#x})" if kind.const else base
        exact = kind.low is not None and kind.low >= 0 and kind.high is not None and kind.high <= M32
        return f"({base} + r{register})" if exact else f"({base} + r{register} & {M64:#x})"

    def _clean(self, register: int) -> None:
        """Cut a register to its width."""
        width, _ = self._dirty.pop(register)
        text = f"r{register} = "
        if self._out and self._out[-1].text.startswith(text) and self._out[-1].indent == 0:
            last = self._out.pop()
            right = last.text[len(text):]
            right = right if right.isidentifier() else f"({right})"
            self._out.append(Line(f"{text}{right} & {MASKS[width]}", last.pc))
        else:
            self._add(f"r{register} &= {MASKS[width]}")

    def _value(self, register: int) -> str:
        """An expression for the whole register, in 0 … 2**64-1."""
        kind = self._state[register]
        if isinstance(kind, Ptr):
            return self._address(register, kind)
        if kind.const is not None:
            return f"{kind.const:#x}" if kind.const > 9 else str(kind.const)
        if register in self._dirty:
            self._clean(register)
        return f"r{register}"

    def _low(self, register: int, bits: int) -> str:
        """An expression for the low `bits` bits."""
        kind = self._state[register]
        if bits == 64:
            return self._value(register)
        if isinstance(kind, Num):
            if kind.const is not None:
                return f"{kind.const & (1 << bits) - 1:#x}"
            if register not in self._dirty and kind.bits <= bits:
                return f"r{register}"
            if register not in self._dirty or self._dirty[register][0] >= bits:
                return f"(r{register} & {(1 << bits) - 1:#x})"
        return f"({self._value(register)} & {(1 << bits) - 1:#x})"

    def _loose(self, register: int, width: int) -> tuple[str, int, bool]:
        """An expression that is right modulo 2**width, the bits it may have, and whether it is in 0 … 2**width-1."""
        kind = self._state[register]
        if isinstance(kind, Ptr) or kind.const is not None:
            text = self._value(register)
            bits = 64 if isinstance(kind, Ptr) or kind.const is None else kind.const.bit_length()
            return text, bits, bits <= width
        if register in self._dirty:
            modulo, bits = self._dirty[register]
            if modulo < width:
                self._clean(register)
                return f"r{register}", modulo, True
            return f"r{register}", bits, False
        return f"r{register}", kind.bits, kind.bits <= width

    def _operand(self, insn: Insn, width: int) -> tuple[str, int, bool]:
        """The second operand, loosely."""
        if insn.code & op.X:
            return self._loose(insn.src, width)
        value = signed(insn.imm, 32) & ((1 << width) - 1)
        return f"{value:#x}" if value > 9 else str(value), value.bit_length(), True

    def _exact_operand(self, insn: Insn, width: int) -> str:
        return self._low(insn.src, width) if insn.code & op.X else self._operand(insn, width)[0]

    def _set(self, register: int, text: str, width: int = 0, bits: int = 0) -> None:
        """Assign; with `width`, a value that is only right modulo 2**width."""
        self._dirty.pop(register, None)
        if text != f"r{register}":
            self._add(f"r{register} = {text}")
        if width:
            self._dirty[register] = (width, bits)
            if bits > MOST_BITS:
                self._clean(register)
