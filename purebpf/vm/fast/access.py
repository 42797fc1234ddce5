"""Loads and stores as Python: an index into a known buffer, a variable for a private stack slot, or a look-up by
address. What fails there is done again by `Memory`, which raises the fault."""

from __future__ import annotations

from typing import Final

from ...isa import opcodes as op
from ...isa.insn import Insn
from ...order import HOST, LITTLE
from ..code import signed
from ..memory import M32, M64, STACK
from .arithmetic import Arithmetic
from .facts import STACK_SITE, Facts, Ptr
from .flow import Flow
from .values import Shared

CASTS: Final = {2: "FH", 4: "FI", 8: "FQ"}  # views of the frame
BIG: Final = HOST is not LITTLE  # then the views would read numbers the wrong way round
FAR: Final = 1 << 62  # an index that no buffer has


class Access(Arithmetic):
    """`slots` are the places of a private stack (offset -> size), `views` the casts of a real one that are used."""

    def __init__(self, flow: Flow, facts: Facts, private: bool) -> None:
        super().__init__(flow, facts, private)
        self.slots: dict[int, int] = {}
        self.views: set[str] = set()
        self._taken: dict[int, int] = {}  # byte of the private stack -> offset of its slot

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
        elif at % size or BIG:
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
        value = self._low(insn.src, 8 * size) if by_reg else f"{signed(insn.imm, 32) & (1 << 8 * size) - 1:#x}"
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
        elif at % size or BIG:
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
