"""One function of a program as lines of Python: registers are local variables, memory is indexed directly.

Three ideas make the result fast and keep it exact:
* numbers are cut to 64 (or 32) bits late: until someone can see the difference, a variable may hold a value that is
  only right modulo 2**width (`_dirty`);
* an access through a pointer whose region is known (facts.py) is one index into a buffer; whatever goes wrong there is
  done again by `Memory.load` and `store`, which know everything and raise the fault;
* a stack that nobody else can see is a set of variables (`private`).
"""

from __future__ import annotations

from typing import Final

from ..isa import opcodes as op
from ..isa.insn import FP, Insn
from ..uapi.helpers import IDS
from .code import callee, signed
from .facts import CALL, STACK_SITE, Facts, Kind, Num, Ptr, State
from .flow import Flow
from .memory import M32, M64, STACK
from .operators import MASKS, compare, count_of
from .runtime import ENOENT, TAIL_CALL, Runtime
from .shape import Line, Parts

MOST_BITS: Final = 160  # a value may grow this far beyond its width before it is cut
CALLS_BACK: Final = frozenset(IDS[name] for name in ("loop", "for_each_map_elem"))
CASTS: Final = {2: "FH", 4: "FI", 8: "FQ"}  # views of the frame
FAR: Final = 1 << 62  # an index that no buffer has


class Shared(Exception):
    """The stack is seen by others after all: write the function again with a real frame."""


class Emitter(Parts):
    """Writes the blocks of one function. `strides` is what backward jumps cost; `private`: try without a frame."""

    def __init__(self, flow: Flow, facts: Facts, rt: Runtime, strides: dict[int, int], private: bool) -> None:
        self.flow, self.facts, self.rt, self.strides, self.private = flow, facts, rt, strides, private
        self.counts = any(flow.function.start <= slot < flow.function.end for slot in strides)
        self.budget = False
        self.slots: dict[int, int] = {}  # private stack: offset -> size
        self.views: set[str] = set()
        self._taken: dict[int, int] = {}  # byte of the private stack -> offset of its slot
        self._ends: dict[int, State] = {}
        self._counted: dict[int, bool] = {}
        self._conditions: dict[int, tuple[str, str, int]] = {}
        self._state: State = []
        self._dirty: dict[int, tuple[int, int]] = {}  # register -> (right modulo 2**this, bits it may have)
        self._out: list[Line] = []
        self._pc = 0

    # -- Parts

    def lines(self, block: int) -> tuple[list[Line], bool]:
        one = self.flow.blocks[block]
        self._state, self._dirty, self._out = list(self.facts.at_start[block]), {}, []
        last = self.flow.code.slots[one.last]
        assert last is not None
        for pc, insn in self.flow.instructions(block):
            self._pc = pc
            if insn.code == op.JMP | op.EXIT:
                self._return(self._value(0))
            elif len(one.succ) == 2 and pc == one.last:
                self._conditions[block] = self._condition(insn)
            elif insn.code not in (op.JMP | op.JA, op.JMP32 | op.JA):
                self._instruction(insn)
                self.facts.step(self._state, pc, insn)
        for register in list(self._dirty):
            if self.flow.live_after(block) >> register & 1:
                self._clean(register)
        self._ends[block] = self._state
        return self._out, not one.succ

    def condition(self, block: int) -> tuple[str, str, int]:
        return self._conditions[block]

    def edge(self, block: int, target: int, taken: bool) -> list[Line]:
        one = self.flow.blocks[block]
        last = self.flow.code.slots[one.last]
        assert last is not None
        pc, self._out, self._pc = one.last, [], one.last
        if last.code == op.JMP | op.JCOND and not taken:
            self._add("mg -= 1")
        if taken and target <= pc and not (self._is_counted(target) and self.flow.is_back(block, target)):
            self._add(f"n += {self.strides[target]}")
            self._add("if n >= lim: over()")
        wanted, live = self.facts.at_start[target], self.flow.live[target]
        for register in range(10):
            if live >> register & 1:
                self._convert(register, self._ends[block][register], wanted[register])
        return self._out

    def loop_head(self, block: int) -> tuple[Line, list[Line]]:
        if not self._is_counted(block):
            return Line("while True:", -1), []
        latch = next(p for p in self.flow.preds[block] if self.flow.is_back(p, block))
        pc = self.flow.blocks[latch].last
        return Line(f"for n in range(n, lim, {self.strides[block]}):", pc), [Line("over()", pc)]

    def _is_counted(self, header: int) -> bool:
        """Can a `for` count the rounds? If one backward jump closes the loop, and nothing else in it counts."""
        if header not in self._counted:
            body = self.flow.loop_of(header)
            charged = [(block, target) for block in body for target in self.flow.blocks[block].succ[-1:]
                       if target <= self.flow.blocks[block].last]
            closing = [block for block in body if header in self.flow.blocks[block].succ]
            self._counted[header] = len(closing) == 1 and charged == [(closing[0], header)] and not any(
                self._counts_itself(insn) for block in body for _, insn in self.flow.instructions(block))
        return self._counted[header]

    def _counts_itself(self, insn: Insn) -> bool:
        """Does a call run instructions of its own?"""
        return insn.code == CALL and (insn.src == op.CALL_LOCAL or insn.imm in CALLS_BACK or insn.imm == TAIL_CALL)

    def _convert(self, register: int, have: Kind, want: Kind) -> None:
        """Bring a register into the form that the next block expects."""
        if not isinstance(have, Ptr):
            return
        if isinstance(want, Num):
            self._add(f"r{register} = {self._address(register, have)}")
        elif have.const is not None and want.const is None:
            self._add(f"r{register} = {have.const}")

    # -- values

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

    # -- instructions

    def _instruction(self, insn: Insn) -> None:
        kind = insn.code & 7
        if kind in (op.ALU, op.ALU64):
            self._alu(insn, 64 if kind == op.ALU64 else 32)
        elif kind == op.LDX:
            self._save_site(insn.dst)
            self._load(insn)
            self._new_site(insn.dst)
        elif kind == op.LD:
            self._load_other(insn)
        elif kind in (op.ST, op.STX):
            if insn.code & 0xE0 == op.ATOMIC:
                self._atomic(insn)
            else:
                self._store(insn)
        elif insn.code == CALL:
            self._call(insn)
        elif insn.code == op.JMP | op.JCOND:  # to the next instruction: only the budget changes
            self.budget = True
            self._add("if mg: mg -= 1")

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
        if what in (op.ADD, op.SUB) and not insn.code & op.X and insn.imm < 0:  # subtract a small number, not add a big one
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
        if what != op.SUB or not insn.code & op.X or not isinstance(a, Ptr) or not isinstance(b, Ptr) or a.site != b.site:
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

    def _condition(self, insn: Insn) -> tuple[str, str, int]:
        if insn.code == op.JMP | op.JCOND:
            self.budget = True
            return "mg == 0", "mg", self._pc
        width = 64 if insn.code & 7 == op.JMP else 32
        what = insn.code & 0xF0
        kind = self._state[insn.dst]
        null = not insn.code & op.X and insn.imm == 0 and width == 64 and what in (op.JEQ, op.JNE)
        if null and isinstance(kind, Ptr) and kind.const is None and kind.low == 0 and kind.high == M32:
            either = f"r{insn.dst} or b{kind.site}"  # an address as it came: both parts are 0 only together
            yes, no = f"not ({either})", either
            return (yes, no, self._pc) if what == op.JEQ else (no, yes, self._pc)
        a = self._low(insn.dst, width)
        b = self._exact_operand(insn, width)
        narrow = isinstance(kind, Num) and kind.bits < width and insn.dst not in self._dirty
        other = self._state[insn.src] if insn.code & op.X else Num(width)
        narrow_b = insn.code & op.X and isinstance(other, Num) and other.bits < width and insn.src not in self._dirty
        yes, no = compare(what, a, b, width, bool(narrow and narrow_b), not insn.code & op.X)
        return yes, no, self._pc

    # -- memory

    def _index(self, register: int, off: int) -> tuple[str, str, Ptr] | None:
        """(index, exact address, kind) of an access at register + off, if the register points to known memory."""
        kind = self._state[register]
        if not isinstance(kind, Ptr):
            return None
        base = f"b{kind.site}"
        if kind.const is not None:
            at = kind.const + off
            return str(at) if at >= 0 else str(FAR), f"{base} + {at} & {M64:#x}", kind
        index = f"r{register}" if off == 0 else f"r{register} {'+' if off > 0 else '-'} {abs(off)}"
        address = f"{base} + {index} & {M64:#x}"
        if kind.low is None or kind.low + off < 0:
            self._add(f"i = {index}")
            index = f"i if i >= 0 else {FAR}"
        return index, address, kind

    def _plain_address(self, register: int, off: int) -> str:
        if not off:
            return self._value(register)
        return f"({self._value(register)} {'+' if off > 0 else '-'} {abs(off)} & {M64:#x})"

    def _load(self, insn: Insn) -> None:
        size, dst = op.SIZE_BYTES[insn.code & op.DW], insn.dst
        found = self._index(insn.src, insn.off)
        self._dirty.pop(dst, None) if dst != insn.src else None
        if found is None:
            address = self._plain_address(insn.src, insn.off)
            if not address.isidentifier():
                self._add(f"a = {address}")
                address = "a"
            fast = f"rd[{address} >> 32][{address} & {M32:#x}]" if size == 1 else \
                f"L{size}(rd[{address} >> 32], {address} & {M32:#x})[0]"
            self._guarded(f"r{dst} = {fast}", f"r{dst} = ld({address}, {size})")
        elif found[2].site == STACK_SITE and found[2].const is not None:
            self._load_stack(dst, found[2].const + insn.off, size, found[1])
        else:
            index, address, kind = found
            if kind.site == STACK_SITE and self.private:
                raise Shared
            buffer = "F" if kind.site == STACK_SITE else f"m{kind.site}"
            fast = f"{buffer}[{index}]" if size == 1 else f"L{size}({buffer}, {index})[0]"
            self._guarded(f"r{dst} = {fast}", f"r{dst} = ld({address}, {size})")
        if insn.code & 0xE0 == op.MEMSX:
            top = 1 << (8 * size - 1)
            self._dirty.pop(dst, None)
            self._set(dst, f"(r{dst} ^ {top:#x}) - {top:#x}", 64, 64)

    def _guarded(self, fast: str, slow: str) -> None:
        self._add(f"try: {fast}")
        self._add(f"except X: {slow}")

    def _load_stack(self, dst: int, at: int, size: int, address: str) -> None:
        self._dirty.pop(dst, None)
        if not 0 <= at <= STACK - size:
            self._leave_private()
            self._add(f"r{dst} = ld({address}, {size})")
        elif self.private:
            self._add(f"r{dst} = {self._slot(at, size)}")
        elif size == 1:
            self._add(f"r{dst} = F[{at}]")
        elif at % size:
            self._add(f"r{dst} = L{size}(F, {at})[0]")
        else:
            self.views.add(CASTS[size])
            self._add(f"r{dst} = {CASTS[size]}[{at // size}]")

    def _leave_private(self) -> None:
        if self.private:
            raise Shared

    def _slot(self, at: int, size: int) -> str:
        """The variable for a place of the private stack; Shared if another access overlaps it."""
        for byte in range(at, at + size):
            if self._taken.setdefault(byte, at) != at:
                raise Shared
        if self.slots.setdefault(at, size) != size:
            raise Shared
        return f"s{at}"

    def _store(self, insn: Insn) -> None:
        size = op.SIZE_BYTES[insn.code & op.DW]
        by_reg = insn.code & 7 == op.STX
        value = self._low(insn.src, 8 * size) if by_reg else f"{insn.imm & (1 << 8 * size) - 1:#x}"
        found = self._index(insn.dst, insn.off)
        if found is None:
            address = self._plain_address(insn.dst, insn.off)
            if not address.isidentifier():
                self._add(f"a = {address}")
                address = "a"
            fast = f"wr[{address} >> 32][{address} & {M32:#x}] = {value}" if size == 1 else \
                f"P{size}(wr[{address} >> 32], {address} & {M32:#x}, {value})"
            self._guarded(fast, f"st({address}, {size}, {value})")
        elif found[2].site == STACK_SITE and found[2].const is not None:
            self._store_stack(found[2].const + insn.off, size, found[1], value)
        else:
            index, address, kind = found
            if kind.site == STACK_SITE:
                self._leave_private()
            buffer = "F" if kind.site == STACK_SITE else f"w{kind.site}"
            fast = f"{buffer}[{index}] = {value}" if size == 1 else f"P{size}({buffer}, {index}, {value})"
            self._guarded(fast, f"st({address}, {size}, {value})")

    def _store_stack(self, at: int, size: int, address: str, value: str) -> None:
        if not 0 <= at <= STACK - size:
            self._leave_private()
            self._add(f"st({address}, {size}, {value})")
        elif self.private:
            self._add(f"{self._slot(at, size)} = {value}")
        elif size == 1:
            self._add(f"F[{at}] = {value}")
        elif at % size:
            self._add(f"P{size}(F, {at}, {value})")
        else:
            self.views.add(CASTS[size])
            self._add(f"{CASTS[size]}[{at // size}] = {value}")

    def _atomic(self, insn: Insn) -> None:
        size = op.SIZE_BYTES[insn.code & op.DW]
        if insn.imm == op.LOAD_ACQ:
            self._set(insn.dst, f"rt.load_acquire({self._plain_address(insn.src, insn.off)}, {size})")
            return
        address, value = self._plain_address(insn.dst, insn.off), self._low(insn.src, 8 * size)
        if insn.imm == op.STORE_REL:
            self._add(f"rt.store_release({address}, {size}, {value})")
            return
        call = f"rt.atomic({insn.imm}, {address}, {size}, {value}, {self._value(0) if insn.imm == op.CMPXCHG else 0})"
        if insn.imm == op.CMPXCHG:
            self._set(0, call)
        elif insn.imm & op.FETCH:
            self._set(insn.src, call)
        else:
            self._add(call)

    def _load_other(self, insn: Insn) -> None:
        if insn.code != op.LD_IMM64:
            where = f"{insn.imm} + {self._value(insn.src)}" if insn.code & 0xE0 == op.IND else str(insn.imm)
            self._set(0, f"rt.legacy_load({where}, {op.SIZE_BYTES[insn.code & op.DW]})")
            self._add("if r0 is None:")
            self._return("0", 1)
            return
        target = callee(self._pc, insn)
        if target is not None:
            self._set(insn.dst, f"CODE + {target * op.SLOT}")
        elif insn.src:
            self._add("unresolved()")
        elif self._pc in self.facts.sites:
            self._save_site(insn.dst)
            site = self.facts.sites[self._pc]
            self._dirty.pop(insn.dst, None)
            number = insn.imm >> 32
            self._add(f"b{site} = {number << 32:#x}")
            self._add(f"m{site} = rd.get({number}, E)")
            self._add(f"w{site} = wr.get({number}, E)")
        else:
            self._set(insn.dst, f"{insn.imm & M64:#x}")

    # -- sites

    def _save_site(self, dst: int) -> None:
        """The site at this slot is about to change: what still points into its old region becomes a number."""
        site = self.facts.sites.get(self._pc)
        for register in range(10):
            kind = self._state[register]
            if site is not None and isinstance(kind, Ptr) and kind.site == site and register != dst:
                self._add(f"r{register} = {self._address(register, kind)}")
                self._state[register] = Num(64)

    def _new_site(self, dst: int) -> None:
        site = self.facts.sites.get(self._pc)
        if site is not None:
            self._dirty.pop(dst, None)
            for text in new_site(site, dst):
                self._add(text)

    # -- calls and returns

    def _call(self, insn: Insn) -> None:
        if insn.src == op.CALL_KFUNC:
            self._add(f"missing({insn.imm})")
            return
        target = callee(self._pc, insn)
        if self.facts.forgets(self._pc, insn):
            for register in range(10):
                kind = self._state[register]
                if isinstance(kind, Ptr):
                    self._add(f"r{register} = {self._address(register, kind)}")
                    self._state[register] = Num(64)
        self._save_site(0)
        if target is not None:
            self._local_call(target)
        elif insn.imm == TAIL_CALL and self.rt.tail_target is not None:
            self._tail_call()
        else:
            self._helper(insn.imm & M32)
        self._new_site(0)

    def _arguments(self, count: int) -> str:
        return "".join(f", {self._value(register)}" for register in range(1, count + 1))

    def _local_call(self, target: int) -> None:
        function = self.flow.code.functions[target]
        arguments = self._arguments(5)
        self._sync_out()
        self._add(f"charge({function.end - target})")
        self._set(0, f"f{target}(rt{arguments}, D + 1)")
        self._sync_in()

    def _tail_call(self) -> None:
        arguments = self._arguments(3)
        self._sync_out()
        self._dirty.pop(0, None)
        self._add(f"r0 = rt.tail_call({arguments[2:]}, D)")
        self._sync_in()
        self._add("if r0 is not None:")
        self._return("r0", 1)
        self._add(f"r0 = {-ENOENT & M64:#x}")

    def _helper(self, number: int) -> None:
        arguments = self._arguments(helper_arguments(self.rt, number))
        if number not in CALLS_BACK:
            self._set(0, f"h{number}(rt{arguments}) & {M64:#x}")
            return
        self._add("rt.depth = D")
        self._sync_out()
        self._set(0, f"h{number}(rt{arguments}) & {M64:#x}")
        self._sync_in()

    def _sync_out(self) -> None:
        if self.counts:
            self._add("rt.charged = n")

    def _sync_in(self) -> None:
        if self.counts:
            self._add("n = rt.charged")

    def _return(self, value: str, indent: int = 0) -> None:
        lines = ["rt.charged = n"] if self.counts else []
        lines += [] if self.private else ["pop(D)"]
        for text in (*lines, f"return {value}"):
            self._out.append(Line(text, self._pc, indent))


def new_site(site: int, register: int) -> list[str]:
    """Split the address in a register: base and buffers into the site's variables, the offset stays."""
    r = f"r{register}"
    return [f"b{site} = {r} >> 32", f"m{site} = rd.get(b{site}, E)", f"w{site} = wr.get(b{site}, E)", f"b{site} <<= 32",
            f"{r} &= {M32:#x}"]


def helper_arguments(rt: Runtime, number: int) -> int:
    """How many of r1-r5 a helper looks at: its named parameters, if its *rest is called _."""
    function = rt.helpers.get(number)
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & 4 or code.co_varnames[code.co_argcount] != "_":
        return 5
    return int(code.co_argcount) - 1


__all__ = ["FP", "Emitter", "Shared", "helper_arguments", "new_site"]
