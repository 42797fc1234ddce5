"""The plain engine: one function a kind of instruction, in a table by opcode, reading like RFC 9669.

A step takes the frame, the eleven registers (always in 0 … 2**64-1) and the instruction, changes them, and returns how
many slots to go beyond the next one (0 for most). It raises Trap where the program does what a kernel never would.
"""

from __future__ import annotations

from typing import Callable, Final

from ..errors import VmFault
from ..isa import opcodes as op
from ..isa.insn import Insn
from ..order import BIG, LITTLE, reverse
from .code import Code, callee, signed, strides
from .memory import FRAMES, M32, M64, STACK, Trap
from .runtime import ENOENT, TAIL_CALL, Runtime

LEAVE: Final = 1 << 40  # what a step returns to end the function


class Frame:
    """One function's activation."""

    __slots__ = ("budget", "depth", "program", "rt")

    def __init__(self, program: "PlainProgram", depth: int) -> None:
        self.program, self.rt, self.depth = program, program.rt, depth
        self.budget = program.rt.may_goto


class PlainProgram:
    """`code` with each slot's step looked up."""

    __slots__ = ("code", "rt", "steps", "strides")

    def __init__(self, code: Code, rt: Runtime) -> None:
        self.code, self.rt = code, rt
        self.strides = strides(code)
        self.steps = [(STEPS[i.code], prepare(i, pc)) if i is not None else None for pc, i in enumerate(code.slots)]

    def call(self, start: int, args: tuple[int, ...], depth: int) -> int:
        self.rt.depth = depth
        self.rt.memory.push_frame(depth)
        registers = [0, *args] + [0] * (9 - len(args)) + [(FRAMES + depth << 32) + STACK]
        result = self._execute(start, registers, Frame(self, depth))
        self.rt.memory.pop_frame(depth)
        return result

    def _execute(self, pc: int, r: list[int], frame: Frame) -> int:
        steps = self.steps
        try:
            while True:
                step, insn = steps[pc]  # type: ignore[misc] # never None: jumps into a ld_imm64 are refused
                pc += 1
                jump = step(frame, r, insn)
                if jump:
                    if jump == LEAVE:
                        return r[0]
                    if jump < 0:
                        self.rt.charge(self.strides[pc + jump])
                    pc += jump
        except Trap as trap:
            raise VmFault(str(trap), pc - 1, self.code.span(pc - 1)) from None


def prepare(insn: Insn, pc: int) -> Insn:
    """`insn` with its immediate as a signed number, and the callee's first slot in place of a distance."""
    target = callee(pc, insn)
    if target is not None:
        return insn._replace(imm=target)
    return insn if insn.code == op.LD_IMM64 else insn._replace(imm=signed(insn.imm, 32))


Step = Callable[[Frame, list[int], Insn], int]
STEPS: Final[dict[int, Step]] = {}


# -- arithmetic: what(dst, src, width) on unsigned values of `width` bits; the result is cut to them


def _divide(a: int, b: int, bits: int) -> int:
    return a // b if b else 0


def _remainder(a: int, b: int, bits: int) -> int:
    return a % b if b else a


def _signed_divide(a: int, b: int, bits: int) -> int:
    x, y = signed(a, bits), signed(b, bits)
    if y == 0:
        return 0
    quotient = abs(x) // abs(y)  # towards zero; INT_MIN / -1 wraps to INT_MIN when cut
    return quotient if (x < 0) == (y < 0) else -quotient


def _signed_remainder(a: int, b: int, bits: int) -> int:
    x, y = signed(a, bits), signed(b, bits)
    if y == 0:
        return a
    return abs(x) % abs(y) * (-1 if x < 0 else 1)  # sign of the dividend; INT_MIN % -1 is 0


Arithmetic = Callable[[int, int, int], int]

ARITHMETIC: Final[dict[int, Arithmetic]] = {
    op.ADD: lambda a, b, bits: a + b,
    op.SUB: lambda a, b, bits: a - b,
    op.MUL: lambda a, b, bits: a * b,
    op.DIV: _divide,
    op.OR: lambda a, b, bits: a | b,
    op.AND: lambda a, b, bits: a & b,
    op.LSH: lambda a, b, bits: a << (b & (bits - 1)),
    op.RSH: lambda a, b, bits: a >> (b & (bits - 1)),
    op.MOD: _remainder,
    op.XOR: lambda a, b, bits: a ^ b,
    op.ARSH: lambda a, b, bits: signed(a, bits) >> (b & (bits - 1)),
}
SIGNED_FORM: Final = {op.DIV: _signed_divide, op.MOD: _signed_remainder}  # with off 1


def _arithmetic(what: int, wide: bool, by_reg: bool) -> Step:
    unsigned, bits, mask = ARITHMETIC[what], 64 if wide else 32, M64 if wide else M32
    other = SIGNED_FORM.get(what, unsigned)

    def reg(frame: Frame, r: list[int], i: Insn) -> int:
        does = other if i.off else unsigned
        r[i.dst] = does(r[i.dst] & mask, r[i.src] & mask, bits) & mask
        return 0

    def imm(frame: Frame, r: list[int], i: Insn) -> int:
        does = other if i.off else unsigned
        r[i.dst] = does(r[i.dst] & mask, i.imm & mask, bits) & mask
        return 0

    return reg if by_reg else imm


def _negate(mask: int) -> Step:
    def step(frame: Frame, r: list[int], i: Insn) -> int:
        r[i.dst] = -r[i.dst] & mask
        return 0

    return step


def _move_imm(mask: int) -> Step:
    def step(frame: Frame, r: list[int], i: Insn) -> int:
        r[i.dst] = i.imm & mask
        return 0

    return step


def _move_reg(mask: int) -> Step:
    def step(frame: Frame, r: list[int], i: Insn) -> int:
        value = r[i.src]
        if i.off > 1:  # movsx; off 1 is addr_space_cast, and arenas have one address here
            value = signed(value, i.off)
        r[i.dst] = value & mask
        return 0

    return step


OWN_ORDER: Final = {LITTLE: op.ALU | op.END | op.K, BIG: op.ALU | op.END | op.X}  # only truncates


def _byte_order(frame: Frame, r: list[int], i: Insn) -> int:
    size = i.imm // 8
    value = r[i.dst] & ((1 << i.imm) - 1)
    if i.code != OWN_ORDER[frame.rt.memory.order]:  # bswap, or into the order that is not the machine's
        value = reverse(value, size)
    r[i.dst] = value
    return 0


# -- jumps

CONDITION: Final[dict[int, Arithmetic]] = {
    op.JEQ: lambda a, b, bits: a == b,
    op.JGT: lambda a, b, bits: a > b,
    op.JGE: lambda a, b, bits: a >= b,
    op.JSET: lambda a, b, bits: a & b,
    op.JNE: lambda a, b, bits: a != b,
    op.JSGT: lambda a, b, bits: signed(a, bits) > signed(b, bits),
    op.JSGE: lambda a, b, bits: signed(a, bits) >= signed(b, bits),
    op.JLT: lambda a, b, bits: a < b,
    op.JLE: lambda a, b, bits: a <= b,
    op.JSLT: lambda a, b, bits: signed(a, bits) < signed(b, bits),
    op.JSLE: lambda a, b, bits: signed(a, bits) <= signed(b, bits),
}


def _conditional(what: int, wide: bool, by_reg: bool) -> Step:
    holds, bits, mask = CONDITION[what], 64 if wide else 32, M64 if wide else M32

    def reg(frame: Frame, r: list[int], i: Insn) -> int:
        return i.off if holds(r[i.dst] & mask, r[i.src] & mask, bits) else 0

    def imm(frame: Frame, r: list[int], i: Insn) -> int:
        return i.off if holds(r[i.dst] & mask, i.imm & mask, bits) else 0

    return reg if by_reg else imm


def _goto(frame: Frame, r: list[int], i: Insn) -> int:
    return i.off


def _goto_long(frame: Frame, r: list[int], i: Insn) -> int:
    return i.imm


def _may_goto(frame: Frame, r: list[int], i: Insn) -> int:
    if frame.budget == 0:
        return i.off
    frame.budget -= 1
    return 0


def _exit(frame: Frame, r: list[int], i: Insn) -> int:
    return LEAVE


def _call(frame: Frame, r: list[int], i: Insn) -> int:
    rt, program = frame.rt, frame.program
    if i.src == op.CALL_LOCAL:
        function = program.code.functions[i.imm]
        rt.charge(function.end - function.start)
        r[0] = program.call(function.start, tuple(r[1:6]), frame.depth + 1)
        rt.depth = frame.depth
    elif i.src == op.CALL_KFUNC:
        raise Trap(f"kernel function {i.imm} does not exist in the VM")
    elif i.imm == TAIL_CALL and rt.tail_target is not None:
        result = rt.tail_call(r[1], r[2], r[3], frame.depth)
        r[0] = -ENOENT & M64 if result is None else result
        return 0 if result is None else LEAVE
    else:
        r[0] = rt.helper(i.imm)(rt, *r[1:6]) & M64
    return 0


# -- memory


def _load(size: int, sign: bool) -> Step:
    def unsigned_load(frame: Frame, r: list[int], i: Insn) -> int:
        r[i.dst] = frame.rt.memory.load((r[i.src] + i.off) & M64, size)
        return 0

    def signed_load(frame: Frame, r: list[int], i: Insn) -> int:
        r[i.dst] = signed(frame.rt.memory.load((r[i.src] + i.off) & M64, size), size * 8) & M64
        return 0

    return signed_load if sign else unsigned_load


def _store(size: int, by_reg: bool) -> Step:
    def reg(frame: Frame, r: list[int], i: Insn) -> int:
        frame.rt.memory.store((r[i.dst] + i.off) & M64, size, r[i.src])
        return 0

    def imm(frame: Frame, r: list[int], i: Insn) -> int:
        frame.rt.memory.store((r[i.dst] + i.off) & M64, size, i.imm)
        return 0

    return reg if by_reg else imm


def _atomic(size: int) -> Step:
    def step(frame: Frame, r: list[int], i: Insn) -> int:
        rt = frame.rt
        if i.imm == op.LOAD_ACQ:
            r[i.dst] = rt.load_acquire((r[i.src] + i.off) & M64, size)
            return 0
        addr = (r[i.dst] + i.off) & M64
        if i.imm == op.STORE_REL:
            rt.store_release(addr, size, r[i.src])
            return 0
        old = rt.atomic(i.imm, addr, size, r[i.src], r[0])
        if i.imm == op.CMPXCHG:
            r[0] = old
        elif i.imm & op.FETCH:
            r[i.src] = old
        return 0

    return step


def _legacy_load(size: int, indirect: bool) -> Step:
    def step(frame: Frame, r: list[int], i: Insn) -> int:
        value = frame.rt.legacy_load(i.imm + (r[i.src] if indirect else 0), size)
        r[0] = value or 0
        return LEAVE if value is None else 0

    return step


def _load_imm64(frame: Frame, r: list[int], i: Insn) -> int:
    if i.src == op.IMM64_FUNC:
        r[i.dst] = frame.program.code.base + op.SLOT * i.imm
    elif i.src:
        raise Trap("a reference to a map, variable or kernel symbol that nothing has resolved")
    else:
        r[i.dst] = i.imm & M64
    return 1


def _build() -> None:
    for wide, kind in ((False, op.ALU), (True, op.ALU64)):
        mask = M64 if wide else M32
        for what in ARITHMETIC:
            STEPS[kind | what] = _arithmetic(what, wide, by_reg=False)
            STEPS[kind | what | op.X] = _arithmetic(what, wide, by_reg=True)
        STEPS[kind | op.NEG] = _negate(mask)
        STEPS[kind | op.MOV] = _move_imm(mask)
        STEPS[kind | op.MOV | op.X] = _move_reg(mask)
    STEPS[op.ALU | op.END] = STEPS[op.ALU | op.END | op.X] = STEPS[op.ALU64 | op.END] = _byte_order
    for wide, kind in ((False, op.JMP32), (True, op.JMP)):
        for what in CONDITION:
            STEPS[kind | what] = _conditional(what, wide, by_reg=False)
            STEPS[kind | what | op.X] = _conditional(what, wide, by_reg=True)
    STEPS[op.JMP | op.JA], STEPS[op.JMP32 | op.JA], STEPS[op.JMP | op.JCOND] = _goto, _goto_long, _may_goto
    STEPS[op.JMP | op.CALL], STEPS[op.JMP | op.EXIT] = _call, _exit
    for bits, size in op.SIZE_BYTES.items():
        STEPS[op.LDX | op.MEM | bits] = _load(size, sign=False)
        STEPS[op.ST | op.MEM | bits] = _store(size, by_reg=False)
        STEPS[op.STX | op.MEM | bits] = _store(size, by_reg=True)
        STEPS[op.STX | op.ATOMIC | bits] = _atomic(size)
    for bits in (op.B, op.H, op.W):
        STEPS[op.LDX | op.MEMSX | bits] = _load(op.SIZE_BYTES[bits], sign=True)
        STEPS[op.LD | op.ABS | bits] = _legacy_load(op.SIZE_BYTES[bits], indirect=False)
        STEPS[op.LD | op.IND | bits] = _legacy_load(op.SIZE_BYTES[bits], indirect=True)
    STEPS[op.LD_IMM64] = _load_imm64


_build()
