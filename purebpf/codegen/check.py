"""Proof that register allocation kept every value. Shares no code with the allocator and knows nothing of its graph.

`snapshot` remembers the virtual registers of every instruction; `check` then follows the allocated code with, for each
machine register and each spill slot, the set of virtual registers whose value it surely holds there, on all paths. Every
operand must be in the set of the place it is read from. Constants are known by what computes them, so that one
computed anew counts as the value.

    r12 = *(u64 *)(r11 + 0)        r1 = *(u64 *)(r6 + 0)      needs r11 in {r6}; now r1 = {r12}
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InternalError
from ..isa.insn import FP
from ..isa.opcodes import ALU, ALU64, DW, LD_IMM64, LDX, MEM, MOV, STX, K, X
from .mach import DST_DEF, DST_USE, FIRST_VIRTUAL, FRAME, SRC_DEF, SRC_USE, MBlock, MFunc, MInsn, bits

Content = frozenset[object]  # virtual registers (ints), and the keys of constants (tuples)
State = dict[int, Content]  # machine register n, or spill slot n as -1 - n -> what it holds; absent: unknown
_NOTHING: Content = frozenset()
_COPY = ALU64 | MOV | X
_CONSTANTS = frozenset((LD_IMM64, FRAME, ALU64 | MOV | K, ALU | MOV | K))


class Operands(NamedTuple):
    """What an instruction named before allocation. `insn` keeps it alive, so that its id stays its own."""

    insn: MInsn
    dst: int
    src: int
    shape: int


class Before(NamedTuple):
    """The code before allocation: operands by id of the instruction, ids per block, and for each register that is only ever
    set to one constant that constant's key."""

    operands: dict[int, Operands]
    sequence: list[list[int]]
    constants: dict[int, object]


def snapshot(mf: MFunc) -> Before:
    """Remember the virtual registers of `mf`."""
    operands: dict[int, Operands] = {}
    sequence = []
    keys: dict[int, set[object]] = {}
    for block in mf.blocks:
        sequence.append([id(i) for i in block.insns])
        for insn in block.insns:
            operands[id(insn)] = Operands(insn, insn.dst, insn.src, insn.shape)
            if insn.shape & DST_DEF:
                keys.setdefault(insn.dst, set()).add(_key(insn))
            if insn.shape & SRC_DEF:
                keys.setdefault(insn.src, set()).add(None)
    constants = {reg: next(iter(k)) for reg, k in keys.items() if len(k) == 1 and None not in k and reg >= FIRST_VIRTUAL}
    return Before(operands, sequence, constants)


def _key(insn: MInsn) -> object:
    """What a constant's instruction computes, None for any other instruction."""
    if insn.code in _CONSTANTS:
        return (insn.code, insn.src, insn.off, insn.imm, insn.ref, insn.slot)
    return None


def check(mf: MFunc, before: Before) -> None:
    """Raise InternalError if some operand of the allocated `mf` may not hold what it held before allocation."""
    _same_code(mf, before)
    starts: dict[MBlock, State] = {mf.blocks[0]: {reg: frozenset((reg,)) for reg in range(1, 6)}}
    work = [mf.blocks[0]]
    while work:
        block = work.pop()
        state = _Walk(mf, before, dict(starts[block]), None).block(block)
        for target in block.targets:
            old = starts.get(target)
            new = state if old is None else {k: both for k, v in old.items() if (both := v & state.get(k, _NOTHING))}
            if new != old:
                starts[target] = dict(new)
                work.append(target)
    for block in mf.blocks:
        if block in starts:
            _Walk(mf, before, dict(starts[block]), block).block(block)


def _same_code(mf: MFunc, before: Before) -> None:
    """Nothing is lost but definitions of constants, nothing changed its order or anything but its registers."""
    for block, ids in zip(mf.blocks, before.sequence):
        now = [id(i) for i in block.insns if id(i) in before.operands]
        kept = set(now)
        lost = [before.operands[i] for i in ids if i not in kept]
        if any(o.shape != DST_DEF or o.dst not in before.constants for o in lost) or now != [i for i in ids if i in kept]:
            raise InternalError("codegen.check", f"{mf.name}: {block.name} lost or reordered instructions", mf.dump())


class _Walk:
    """One pass over a block; `strict` is the block if operands are to be judged, None while states still grow."""

    __slots__ = ("mf", "before", "state", "strict")

    def __init__(self, mf: MFunc, before: Before, state: State, strict: MBlock | None) -> None:
        self.mf, self.before, self.state, self.strict = mf, before, state, strict

    def block(self, block: MBlock) -> State:
        for insn in block.insns:
            old = self.before.operands.get(id(insn))
            if old is None:
                self._added(insn)
            elif insn.code == _COPY and insn.off == 0:
                self._copy(insn, old)
            else:
                self._other(insn, old)
        return self.state

    def _added(self, insn: MInsn) -> None:
        state = self.state
        if insn.code in _CONSTANTS:
            state[insn.dst] = frozenset((_key(insn),))
        elif insn.code == STX | MEM | DW and self._is_spill(insn, insn.dst):
            state[-1 - insn.slot] = state.get(insn.src, _NOTHING)
        elif insn.code == LDX | MEM | DW and self._is_spill(insn, insn.src):
            state[insn.dst] = state.get(-1 - insn.slot, _NOTHING)
        else:
            self._fail(insn, "an instruction that allocation has no reason to add")

    def _is_spill(self, insn: MInsn, base: int) -> bool:
        return base == FP and insn.off == 0 and insn.slot >= 0 and self.mf.slots[insn.slot].spill

    def _copy(self, insn: MInsn, old: Operands) -> None:
        if old.src == FP:
            self._define(insn.dst, old.dst, _NOTHING)
            return
        if insn.dst < 0:  # both are one by now: wherever the source is, the copy is
            holders = [place for place in self.state if self._holds(place, old.src)]
            self._forget(old.dst)
            for place in holders:
                self.state[place] |= {old.dst}
            return
        self._need(insn, insn.src, old.src)
        self._define(insn.dst, old.dst, self.state.get(insn.src, _NOTHING))

    def _other(self, insn: MInsn, old: Operands) -> None:
        if old.shape & DST_USE:
            self._need(insn, insn.dst, old.dst)
        if old.shape & SRC_USE:
            self._need(insn, insn.src, old.src)
        for reg in bits(insn.uses):
            self._need(insn, reg, reg)
        for reg in bits(insn.clobbers):
            self._forget(reg)
            self.state[reg] = frozenset((reg,)) if reg == 0 else _NOTHING
        if old.shape & DST_DEF:
            key = _key(insn)
            self._define(insn.dst, old.dst, frozenset((key,)) if key else _NOTHING)
        if old.shape & SRC_DEF:
            self._define(insn.src, old.src, _NOTHING)

    def _define(self, place: int, reg: int, also: Content) -> None:
        if self.strict and (reg < FIRST_VIRTUAL and place != reg or not 0 <= place < FP):
            raise InternalError("codegen.check", f"{self.mf.name}: r{reg} is defined in r{place}", self.mf.dump())
        self._forget(reg)
        self.state[place] = also | {reg}

    def _forget(self, reg: int) -> None:
        """The old value of `reg` is nowhere any more."""
        for place, content in self.state.items():
            if reg in content:
                self.state[place] = content - {reg}

    def _holds(self, place: int, reg: int) -> bool:
        content = self.state.get(place, _NOTHING)
        return reg in content or self.before.constants.get(reg, 0) in content

    def _need(self, insn: MInsn, place: int, reg: int) -> None:
        if self.strict is None or reg == place == FP:
            return
        if not self._holds(place, reg) or reg < FIRST_VIRTUAL and place != reg:
            self._fail(insn, f"r{place} does not surely hold r{reg}")

    def _fail(self, insn: MInsn, what: str) -> None:
        if self.strict is not None:
            raise InternalError("codegen.check", f"{self.mf.name}: {self.strict.name}: {insn!r}: {what}", self.mf.dump())
