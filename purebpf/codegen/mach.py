"""The machine function: isa opcodes over virtual registers, in basic blocks, before and after allocation.

Registers are ints: 0..10 are the machine's, everything from `FIRST_VIRTUAL` up is virtual. An MInsn carries what the
allocator must know: `shape` (which operands it reads and writes), `uses` and `clobbers` (bit sets of machine registers it
touches besides its operands: a call reads its arguments, writes R0 and destroys R1-R5).
"""

from __future__ import annotations

from typing import Final

from ..errors import Span
from ..ir.ops import Slot
from ..isa.insn import Ref
from ..isa.opcodes import (
    ALU,
    ALU64,
    ATOMIC,
    CALL,
    CMPXCHG,
    END,
    EXIT,
    FETCH,
    JA,
    JCOND,
    JMP,
    JMP32,
    K,
    LDX,
    LD_IMM64,
    MOV,
    NEG,
    ST,
    STX,
    X,
)

FIRST_VIRTUAL: Final = 11
FRAME: Final = 0x100  # pseudo opcode: dst = address of frame slot `slot` plus `imm`; becomes a move and an add
COLOURS: Final = 10  # R0-R9 can be given out
LIMIT: Final = 512  # bytes of a frame
ARGUMENTS: Final = (1, 2, 3, 4, 5)
CALL_CLOBBERS: Final = 0b111111  # R0-R5

DST_USE: Final = 1
DST_DEF: Final = 2
SRC_USE: Final = 4
SRC_DEF: Final = 8

MOV_X: Final = ALU64 | MOV | X
MOV32_X: Final = ALU | MOV | X
GOTO: Final = JMP | JA
RETURN: Final = JMP | EXIT
CALL_OP: Final = JMP | CALL
NOWHERE: Final = -1  # both operands of a move that allocation made superfluous


def _shape(code: int) -> int:
    cls, op = code & 7, code & 0xF0
    if code in (LD_IMM64, FRAME):
        return DST_DEF
    if cls in (ALU, ALU64):
        if op in (NEG, END):
            return DST_USE | DST_DEF
        return (DST_DEF if op == MOV else DST_USE | DST_DEF) | (SRC_USE if code & X else 0)
    if cls == LDX:
        return DST_DEF | SRC_USE
    if cls in (ST, STX):
        return DST_USE | (SRC_USE if cls == STX else 0)
    if cls in (JMP, JMP32) and op not in (CALL, EXIT, JA, JCOND):
        return DST_USE | (SRC_USE if code & X else 0)
    return 0


_SHAPES: Final = tuple(_shape(code) for code in range(FRAME + 1))


class MInsn:
    """One instruction. `off`, `imm`, `ref` as in isa.Insn. `slot`: the frame slot that `off` (or a FRAME's `imm`) counts
    from, -1 for none. `touch`: bit set of frame slots it may read or write through a pointer. `targets`: where a jump
    goes; a conditional one has two, taken first, and is the last of its block."""

    __slots__ = ("code", "dst", "src", "off", "imm", "ref", "slot", "shape", "uses", "clobbers", "touch", "targets", "span")

    def __init__(self, code: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0, ref: Ref | None = None, *,
                 slot: int = -1, span: Span | None = None, targets: tuple[MBlock, ...] = ()) -> None:
        self.code, self.dst, self.src, self.off, self.imm, self.ref = code, dst, src, off, imm, ref
        self.slot, self.span, self.targets = slot, span, targets
        self.shape = _SHAPES[code]
        self.uses = self.clobbers = self.touch = 0
        if code & 0xE7 == STX | ATOMIC:
            if imm == CMPXCHG:
                self.uses = self.clobbers = 1
            elif imm & FETCH:
                self.shape |= SRC_DEF

    def copy(self) -> MInsn:
        """The same instruction again; for constants that are computed anew."""
        twin = MInsn(self.code, self.dst, self.src, self.off, self.imm, self.ref, slot=self.slot, span=self.span)
        twin.touch = self.touch
        return twin

    @property
    def is_copy(self) -> bool:
        return self.code == MOV_X and self.off == 0

    @property
    def is_call(self) -> bool:
        return self.code == CALL_OP

    def reads(self) -> int:
        """The registers it reads, as a bit set; after allocation, when there are few."""
        shape = self.shape
        return self.uses | (1 << self.dst if shape & DST_USE else 0) | (1 << self.src if shape & SRC_USE else 0)

    def writes(self) -> int:
        """The registers it writes or destroys, likewise."""
        shape = self.shape
        return self.clobbers | (1 << self.dst if shape & DST_DEF else 0) | (1 << self.src if shape & SRC_DEF else 0)

    def reads_from(self, reg: int) -> bool:
        shape = self.shape
        return bool(shape & DST_USE and self.dst == reg or shape & SRC_USE and self.src == reg or reg < COLOURS and self.uses >> reg & 1)

    def writes_to(self, reg: int) -> bool:
        shape = self.shape
        return bool(shape & DST_DEF and self.dst == reg or shape & SRC_DEF and self.src == reg or reg < COLOURS and self.clobbers >> reg & 1)

    def __repr__(self) -> str:
        parts = [f"{self.code:#04x}", f"dst={self.dst}", f"src={self.src}", f"off={self.off}", f"imm={self.imm}"]
        parts += [f"ref={self.ref}"] if self.ref else []
        parts += [f"slot={self.slot}"] if self.slot >= 0 else []
        parts += ["-> " + " ".join(b.name for b in self.targets)] if self.targets else []
        return " ".join(parts)


class MBlock:
    """Instructions that run one after the other; the last is a jump, a conditional jump or an exit."""

    __slots__ = ("name", "insns", "index", "depth", "freq")

    def __init__(self, name: str) -> None:
        self.name = name
        self.insns: list[MInsn] = []
        self.index = 0  # in MFunc.blocks
        self.depth = 0  # of loops
        self.freq = 1.0  # estimated runs per call of the function

    @property
    def targets(self) -> tuple[MBlock, ...]:
        return self.insns[-1].targets

    def __repr__(self) -> str:
        return f"<mblock {self.name}>"


class FrameSlot:
    """Memory in the frame: an alloca of the program (`what` says which), or a home for a spilled register."""

    __slots__ = ("size", "align", "what", "span", "spill", "pinned")

    def __init__(self, size: int, align: int, what: str, span: Span | None, spill: bool = False) -> None:
        self.size, self.align, self.what, self.span, self.spill = size, align, what, span, spill
        self.pinned = False  # its address was stored somewhere: alive during the whole function

    @staticmethod
    def of(attr: Slot, what: str, span: Span | None) -> FrameSlot:
        return FrameSlot(attr.size, max(1, min(attr.align, 8)), what, span)


class MFunc:
    """A function in machine form. `blocks[0]` is the entry. `pool`: virtual registers that hold something cheap to compute
    anywhere (constants, addresses) -> the instruction that computes it. `held`: pairs of blocks of which the first must jump to the second, also where
    it stands in front of it."""

    __slots__ = ("name", "cpu", "blocks", "slots", "pool", "registers", "held")

    def __init__(self, name: str, cpu: int) -> None:
        self.name, self.cpu = name, cpu
        self.blocks: list[MBlock] = []
        self.slots: list[FrameSlot] = []
        self.pool: dict[int, MInsn] = {}
        self.registers = FIRST_VIRTUAL
        self.held: set[tuple[MBlock, MBlock]] = set()

    def new_register(self) -> int:
        self.registers += 1
        return self.registers - 1

    def block(self, name: str) -> MBlock:
        block = MBlock(name)
        block.index = len(self.blocks)
        self.blocks.append(block)
        return block

    def dump(self) -> str:
        """For debugging and internal errors."""
        out = []
        for block in self.blocks:
            out.append(f"{block.name}: depth {block.depth}")
            out += [f"    {insn!r}" for insn in block.insns]
        return "\n".join(out)


def move(dst: int, src: int, span: Span | None = None) -> MInsn:
    return MInsn(MOV_X, dst, src, span=span)


def bits(mask: int) -> list[int]:
    """The positions of the ones in `mask`, ascending."""
    out = []
    while mask:
        low = mask & -mask
        out.append(low.bit_length() - 1)
        mask ^= low
    return out


def constant(dst: int, value: int, span: Span | None = None) -> MInsn:
    """The shortest instruction that puts a 64-bit constant (signed) into `dst`: one slot if it or its low half fits."""
    if -(1 << 31) <= value < 1 << 31:
        code = ALU64 | MOV | K
        if value >= 0:
            code = ALU | MOV | K  # the same value; the JITs' shorter form
        return MInsn(code, dst, imm=value, span=span)
    if 0 <= value < 1 << 32:
        return MInsn(ALU | MOV | K, dst, imm=value - (1 << 32), span=span)
    return MInsn(LD_IMM64, dst, imm=value, span=span)
