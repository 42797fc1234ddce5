"""ALU and ALU64 instructions as Python."""

from __future__ import annotations

from ...isa import opcodes as op
from ...isa.insn import Insn
from ..code import signed
from ..memory import M32, M64
from .facts import Num, Ptr
from .operators import count_of
from .values import Values


class Arithmetic(Values):
    """Numbers, and pointers moved about."""

    def _alu(self, insn: Insn, width: int) -> None:
        what = insn.code & 0xF0
        after = list(self._state)
        self.facts.step(after, self._pc, insn)
        kind = after[insn.dst]
        if isinstance(kind, Ptr):
            self._pointer(insn, what, kind)
        elif what == op.MOV:
            self._move(insn, width)
        elif kind.const is not None:
            self._set(insn.dst, f"{kind.const:#x}")
        elif what in (op.ADD, op.SUB, op.MUL, op.OR, op.AND, op.XOR):
            self._ring(insn, what, width, kind)
        else:
            self._other_alu(insn, what, width)

    def _pointer(self, insn: Insn, what: int, kind: Ptr) -> None:
        """The result is an offset; offsets grow without being cut."""
        if kind.const is not None:
            self._dirty.pop(insn.dst, None)
            return
        a = self._state[insn.dst]
        if what == op.MOV:
            self._set(insn.dst, self._offset(insn.src))
            return
        sign = "+" if what == op.ADD else "-"
        if isinstance(a, Ptr) and not insn.code & op.X:
            by = signed(insn.imm, 32) * (1 if what == op.ADD else -1)
            self._set(insn.dst, f"{self._offset(insn.dst)} {'+' if by >= 0 else '-'} {abs(by)}")
        elif isinstance(a, Ptr):
            b = self._state[insn.src]
            assert isinstance(b, Num)
            by_text = str(signed(b.const, 64)) if b.const is not None else self._value(insn.src)
            self._set(insn.dst, f"{self._offset(insn.dst)} {sign} {by_text}")
        else:
            by_text = str(signed(a.const, 64)) if a.const is not None else self._value(insn.dst)
            self._set(insn.dst, f"{self._offset(insn.src)} + {by_text}")

    def _offset(self, register: int) -> str:
        kind = self._state[register]
        assert isinstance(kind, Ptr)
        return f"r{register}" if kind.const is None else str(kind.const)

    def _move(self, insn: Insn, width: int) -> None:
        if not insn.code & op.X:
            value = signed(insn.imm, 32) & (M64 if width == 64 else M32)
            self._set(insn.dst, f"{value:#x}" if value > 9 else str(value))
        elif insn.off > 1:
            top = 1 << (insn.off - 1)
            low = self._low(insn.src, insn.off)
            self._set(insn.dst, f"({low} ^ {top:#x}) - {top:#x}", width, 64)
        else:
            text, bits, exact = self._loose(insn.src, width)
            if exact:
                self._set(insn.dst, text)
            else:
                self._set(insn.dst, text, width, bits)

    def _ring(self, insn: Insn, what: int, width: int, kind: Num) -> None:
        """Operations that give the right low bits whatever is above them."""
        difference = self._pointer_difference(insn, what) if width == 64 else None
        if difference:
            self._set(insn.dst, difference, 64, 66)
            return
        if what in (op.ADD, op.SUB) and not insn.code & op.X and insn.imm < 0:  # a small number less, not a big one more
            a, a_bits, _ = self._loose(insn.dst, width)
            sign = "-" if what == op.ADD else "+"
            self._set(insn.dst, f"{a} {sign} {-insn.imm}", width, max(a_bits, 32) + 1)
            return
        b, b_bits, b_exact = self._operand(insn, width)
        a, a_bits, a_exact = self._loose(insn.dst, width)
        exact = a_exact and b_exact
        if what in (op.ADD, op.MUL, op.SUB):
            bits = a_bits + b_bits if what == op.MUL else max(a_bits, b_bits) + 1
            sign = {op.ADD: "+", op.MUL: "*", op.SUB: "-"}[what]
            if exact and bits <= width and what != op.SUB:
                self._set(insn.dst, f"{a} {sign} {b}")
            else:
                self._set(insn.dst, f"{a} {sign} {b}", width, bits)
            return
        sign = {op.OR: "|", op.AND: "&", op.XOR: "^"}[what]
        if exact or (what == op.AND and (a_exact or b_exact)):
            self._set(insn.dst, f"{a} {sign} {b}")
        else:
            self._set(insn.dst, f"{a} {sign} {b}", width, max(a_bits, b_bits))

    def _pointer_difference(self, insn: Insn, what: int) -> str | None:
        """`end - start` in one region needs no addresses."""
        a, b = self._state[insn.dst], self._state[insn.src]
        if what != op.SUB or not insn.code & op.X:
            return None
        if not isinstance(a, Ptr) or not isinstance(b, Ptr) or a.site != b.site:
            return None
        return f"{self._offset(insn.dst)} - {self._offset(insn.src)}"

    def _other_alu(self, insn: Insn, what: int, width: int) -> None:
        dst = insn.dst
        if what == op.NEG:
            text, bits, _ = self._loose(dst, width)
            self._set(dst, f"-{text}", width, bits + 1)
        elif what == op.END:
            self._byte_order(insn)
        elif what in (op.LSH, op.RSH, op.ARSH):
            self._shift(insn, what, width)
        elif insn.off:
            name = "sdiv" if what == op.DIV else "smod"
            self._set(dst, f"{name}({self._low(dst, width)}, {self._exact_operand(insn, width)}, {width})", width, 65)
        else:
            a, b = self._low(dst, width), self._exact_operand(insn, width)
            sign, otherwise = ("//", "0") if what == op.DIV else ("%", a)
            if insn.code & op.X and not self._is_const(insn.src):
                self._set(dst, f"{a} {sign} {b} if {b} else {otherwise}")
            else:
                self._set(dst, f"{a} {sign} {b}" if int(b, 0) else otherwise)

    def _is_const(self, register: int) -> bool:
        kind = self._state[register]
        return isinstance(kind, Num) and kind.const is not None

    def _shift(self, insn: Insn, what: int, width: int) -> None:
        dst = insn.dst
        count = count_of(insn, self._state, width)
        by = str(count) if count is not None else f"({self._loose(insn.src, 32)[0]} & {width - 1})"
        if what == op.LSH:
            text, bits, exact = self._loose(dst, width)
            if count is not None and exact and bits + count <= width:
                self._set(dst, f"{text} << {by}")
            else:
                self._set(dst, f"{text} << {by}", width, bits + (count if count is not None else width))
            return
        text = self._low(dst, width)
        kind = self._state[dst]
        if what == op.RSH or (isinstance(kind, Num) and dst not in self._dirty and kind.bits < width):
            self._set(dst, f"{text} >> {by}")
        else:
            top = f"{1 << (width - 1):#x}"
            self._set(dst, f"({text} ^ {top}) - {top} >> {by}", width, 65)

    def _byte_order(self, insn: Insn) -> None:
        dst, low = insn.dst, self._low(insn.dst, insn.imm)
        if insn.code == op.ALU | op.END:
            self._set(dst, low)
        elif insn.imm == 16:
            self._set(dst, f"({low} & 255) << 8 | {low} >> 8")
        else:
            self._set(dst, f"swap{insn.imm}({low})[0]")
