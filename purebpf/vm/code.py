"""Instructions made ready to run: checked one by one as the kernel checks them, laid out by slot, cut into functions.

The checks are those the verifier makes of a single instruction, whatever its operands hold at run time (kernel 6.18,
kernel/bpf/verifier.c): opcode known, reserved fields zero, registers r0-r10 with r10 never written, jumps inside their
function and not into the second half of a ld_imm64, every function ending in exit or goto. Two of its refusals are
left out because RFC 9669 gives the instruction a meaning: division by a constant zero and shifts by a constant
beyond the width. Raises DecodeError.
"""

from __future__ import annotations

from typing import Callable, Final, Mapping, NamedTuple, Sequence

from ..errors import DecodeError, Span
from ..isa import opcodes as op
from ..isa.insn import FP, REGISTERS, Insn

MAX_SLOTS: Final = 1_000_000

PLAIN_ALU: Final = frozenset(
    (op.ADD, op.SUB, op.MUL, op.DIV, op.OR, op.AND, op.LSH, op.RSH, op.MOD, op.XOR, op.ARSH)
)
CONDITIONS: Final = frozenset(
    (op.JEQ, op.JGT, op.JGE, op.JSET, op.JNE, op.JSGT, op.JSGE, op.JLT, op.JLE, op.JSLT, op.JSLE)
)
ATOMIC_OPS: Final = frozenset((op.XCHG, op.CMPXCHG)) | {
    what | fetch for what in (op.ADD, op.OR, op.AND, op.XOR) for fetch in (0, op.FETCH)
}


class Function(NamedTuple):
    """Slots `start` … `end` (exclusive)."""

    start: int
    end: int
    name: str


class Code:
    """A checked program. `slots[pc]` is the instruction, None in the second half of a ld_imm64; `base` the address that
    function pointers count from (set by whoever maps it)."""

    __slots__ = ("base", "functions", "lines", "name", "slots")

    def __init__(self, insns: Sequence[Insn], name: str = "program", names: Mapping[int, str] | None = None,
                 lines: Sequence[tuple[int, Span]] = ()) -> None:
        """`names`: of functions by first slot. `lines`: (slot, place in the source), ascending."""
        slots: list[Insn | None] = []
        for insn in insns:
            slots.append(insn)
            if insn.code == op.LD_IMM64:
                slots.append(None)
        if not slots:
            raise DecodeError("a program needs at least one instruction")
        if len(slots) > MAX_SLOTS:
            raise DecodeError(f"{len(slots)} instructions are more than the kernel's {MAX_SLOTS:,}")
        self.slots, self.name, self.lines, self.base = tuple(slots), name, tuple(lines), 0
        for pc, one in enumerate(slots):
            if one is not None and (wrong := complaint(one)):
                raise DecodeError(f"{wrong}: {describe(one)}", position=pc * op.SLOT)
        self.functions = self._cut(names or {})
        self._check_jumps()

    def span(self, pc: int) -> Span | None:
        """The source line of the instruction at `pc`, if known."""
        found = None
        for slot, span in self.lines:
            if slot > pc:
                break
            found = span
        return found

    def _cut(self, names: Mapping[int, str]) -> dict[int, Function]:
        """Functions by first slot: the program itself, what is called, what has its address taken."""
        starts = {0} | set(names)
        for pc, insn in enumerate(self.slots):
            if insn is None:
                continue
            target = callee(pc, insn)
            if target is not None:
                if not 0 <= target < len(self.slots) or self.slots[target] is None:
                    raise DecodeError(f"call out of the program: {describe(insn)}", position=pc * op.SLOT)
                starts.add(target)
        ordered = sorted(starts)
        bounds = zip(ordered, ordered[1:] + [len(self.slots)])
        return {a: Function(a, b, names.get(a, self.name if a == 0 else f"func_{a}")) for a, b in bounds}

    def _check_jumps(self) -> None:
        for function in self.functions.values():
            last = self.slots[function.end - 1]
            if last is None or last.code not in (op.JMP | op.EXIT, op.JMP | op.JA, op.JMP32 | op.JA):
                raise DecodeError(f"{function.name} does not end in exit or goto",
                                  position=(function.end - 1) * op.SLOT)
            for pc in range(function.start, function.end):
                insn = self.slots[pc]
                target = jump_target(pc, insn) if insn is not None else None
                if target is None:
                    continue
                if not function.start <= target < function.end:
                    raise DecodeError(f"jump out of {function.name} to slot {target}", position=pc * op.SLOT)
                if self.slots[target] is None:
                    raise DecodeError("jump into the middle of a ld_imm64", position=pc * op.SLOT)


def jump_target(pc: int, insn: Insn) -> int | None:
    """The slot a jump (not a call) at `pc` goes to; None for everything else."""
    kind = insn.code & 7
    if kind not in (op.JMP, op.JMP32) or insn.code & 0xF0 in (op.CALL, op.EXIT):
        return None
    return pc + 1 + (insn.imm if insn.code == op.JMP32 | op.JA else insn.off)


def callee(pc: int, insn: Insn) -> int | None:
    """The first slot of the function that a local call or a ld_imm64 of a function at `pc` means; else None."""
    local = insn.code == op.JMP | op.CALL and insn.src == op.CALL_LOCAL
    if local or (insn.code == op.LD_IMM64 and insn.src == op.IMM64_FUNC):
        return pc + 1 + signed(insn.imm, 32)
    return None


def strides(code: Code) -> dict[int, int]:
    """What a backward jump to a slot costs of the instruction limit: the slots between, of the farthest jump there."""
    cost: dict[int, int] = {}
    for pc, insn in enumerate(code.slots):
        target = jump_target(pc, insn) if insn is not None else None
        if target is not None and target <= pc:
            cost[target] = max(cost.get(target, 0), pc - target + 1)
    return cost


def signed(value: int, bits: int) -> int:
    """The low `bits` of `value` as two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def describe(insn: Insn) -> str:
    """The fields of an instruction, for an error about it."""
    return f"opcode {insn.code:#04x}, dst {insn.dst}, src {insn.src}, off {insn.off}, imm {insn.imm}"


def complaint(insn: Insn) -> str:
    """What the kernel would say of this instruction by itself; "" if nothing."""
    if not (0 <= insn.dst < REGISTERS and 0 <= insn.src < REGISTERS):
        return "no such register"
    if not -0x8000 <= insn.off <= 0x7FFF:
        return "offset beyond 16 bits"
    if insn.code != op.LD_IMM64 and not -0x8000_0000 <= insn.imm <= 0xFFFF_FFFF:
        return "immediate beyond 32 bits"
    check = CHECKS[insn.code & 7]
    return check(insn)


def _alu(i: Insn) -> str:
    what, wide, by_reg = i.code & 0xF0, i.code & 7 == op.ALU64, bool(i.code & op.X)
    if what == op.END:
        if wide and by_reg:
            return "unknown opcode"
        ok = i.src == 0 and i.off == 0 and i.imm in (16, 32, 64)
    elif what == op.NEG:
        if by_reg:
            return "unknown opcode"
        ok = i.src == 0 and i.off == 0 and i.imm == 0
    elif what == op.MOV:
        ok = _mov(i, wide, by_reg)
    elif what in PLAIN_ALU:
        signed_ok = what in (op.DIV, op.MOD)
        ok = (i.imm == 0 if by_reg else i.src == 0) and (i.off == 0 or (i.off == 1 and signed_ok))
    else:
        return "unknown opcode"
    if not ok:
        return "reserved fields are not zero"
    return _written(i.dst)


def _mov(i: Insn, wide: bool, by_reg: bool) -> bool:
    if not by_reg:
        return i.src == 0 and i.off == 0
    if wide and i.off == 1:  # addr_space_cast between address spaces 0 and 1
        return i.imm & 0xFFFF_FFFF in (1, 1 << 16)
    return i.imm == 0 and i.off in ((0, 8, 16, 32) if wide else (0, 8, 16))


def _written(register: int) -> str:
    return "the frame pointer r10 is read-only" if register == FP else ""


def _jump(i: Insn) -> str:
    what, narrow, by_reg = i.code & 0xF0, i.code & 7 == op.JMP32, bool(i.code & op.X)
    if what in CONDITIONS:
        ok = i.imm == 0 if by_reg else i.src == 0
    elif by_reg or (narrow and what != op.JA):
        return "unknown opcode"
    elif what == op.JA:
        ok = i.src == 0 and i.dst == 0 and (i.off == 0 if narrow else i.imm == 0)
    elif what == op.CALL:
        ok = i.dst == 0 and i.src <= op.CALL_KFUNC and (i.off == 0 or i.src == op.CALL_KFUNC)
    elif what == op.EXIT:
        ok = i.dst == 0 and i.src == 0 and i.imm == 0 and i.off == 0  # the kernel forgets off; RFC 9669 does not
    elif what == op.JCOND:
        ok = i.dst == 0 and i.src == 0 and i.imm == 0
    else:
        return "unknown opcode"
    return "" if ok else "reserved fields are not zero"


def _load(i: Insn) -> str:
    if i.code & 0xE0 not in (op.MEM, op.MEMSX) or (i.code & 0xE0 == op.MEMSX and i.code & op.DW == op.DW):
        return "unknown opcode"
    return "reserved fields are not zero" if i.imm else _written(i.dst)


def _store_imm(i: Insn) -> str:
    if i.code & 0xE0 != op.MEM:
        return "unknown opcode"
    return "reserved fields are not zero" if i.src else ""


def _store_reg(i: Insn) -> str:
    mode, size = i.code & 0xE0, i.code & op.DW
    if mode == op.MEM:
        return "reserved fields are not zero" if i.imm else ""
    if mode != op.ATOMIC:
        return "unknown opcode"
    if i.imm == op.LOAD_ACQ:
        return _written(i.dst)
    if i.imm == op.STORE_REL:
        return ""
    if size not in (op.W, op.DW) or i.imm not in ATOMIC_OPS:
        return "unknown atomic operation"
    return _written(i.src) if i.imm & op.FETCH and i.imm != op.CMPXCHG else ""


def _load_other(i: Insn) -> str:
    if i.code == op.LD_IMM64:
        if i.off or i.src > 6:
            return "reserved fields are not zero"
        if not -(1 << 63) <= i.imm < 1 << 64:
            return "immediate beyond 64 bits"
        return _written(i.dst)
    if i.code & 0xE0 not in (op.ABS, op.IND) or i.code & op.DW == op.DW:
        return "unknown opcode"
    ok = i.dst == 0 and i.off == 0 and (i.code & 0xE0 == op.IND or i.src == 0)
    return "" if ok else "reserved fields are not zero"


CHECKS: Final[Mapping[int, Callable[[Insn], str]]] = {
    op.LD: _load_other, op.LDX: _load, op.ST: _store_imm, op.STX: _store_reg,
    op.ALU: _alu, op.JMP: _jump, op.JMP32: _jump, op.ALU64: _alu,
}
