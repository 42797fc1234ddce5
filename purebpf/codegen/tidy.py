"""After allocation: instructions that put into a register what it holds already.

    if r0 == 0 goto L            if r0 == 0 goto L
    ...                          ...
 L: w0 = 0                    L: exit
    exit

A forward analysis: at each place, which registers hold which constant, which spill slot's content, or the same as another
register, on all ways that lead there. A comparison with a constant teaches something on the way where it is equal.
"""

from __future__ import annotations

from ..ir.ops import signed
from ..isa.insn import FP
from ..isa.opcodes import ALU, ALU64, JEQ, JMP, JNE, K, LD_IMM64, LDX, MOV, STX
from .mach import DST_DEF, FRAME, GOTO, MBlock, MFunc, MInsn, bits, move

Fact = tuple[int, object]  # machine register, what it holds
Facts = frozenset[Fact]
_NONE: Facts = frozenset()
_MOVES_K = (ALU64 | MOV | K, ALU | MOV | K)


def tidy(mf: MFunc) -> None:
    """Remove what is superfluous, in place; shortens the entry of blocks that some predecessors make superfluous."""
    starts = _analyse(mf)
    for block in mf.blocks:
        known = set(starts[block])
        kept = []
        for insn in block.insns:
            if not _superfluous(mf, insn, known):
                kept.append(_cheaper(mf, insn, known))
                _step(mf, insn, known)
        block.insns = kept
    _skip_entries(mf, starts)


def _analyse(mf: MFunc) -> dict[MBlock, Facts]:
    starts: dict[MBlock, Facts] = {mf.blocks[0]: _NONE}
    work = list(reversed(mf.blocks))
    queued = set(work)
    while work:
        block = work.pop()
        queued.discard(block)
        if block not in starts:
            continue
        known = set(starts[block])
        for insn in block.insns:
            _step(mf, insn, known)
        for target in block.targets:
            new = _on_edge(block.insns[-1], target, known)
            old = starts.get(target)
            merged = new if old is None else old & new
            if merged != old:
                starts[target] = merged
                if target not in queued:
                    queued.add(target)
                    work.append(target)
    return starts


def _on_edge(jump: MInsn, target: MBlock, known: set[Fact]) -> Facts:
    """What is known on the way from `jump` to `target`."""
    equal = {JMP | JEQ | K: 0, JMP | JNE | K: 1}.get(jump.code)
    if equal is None or jump.targets[0] is jump.targets[1] or target is not jump.targets[equal]:
        return frozenset(known)
    shared = {what for reg, what in known if reg == jump.dst}
    same = {reg for reg, what in known if what in shared} | {jump.dst}
    return frozenset(known) | {(reg, jump.imm) for reg in same}


def _value(insn: MInsn) -> object | None:
    """What a constant's instruction puts into its register: an int, or a key that names the address."""
    if insn.ref is not None or insn.code == FRAME:
        return (insn.code, insn.imm, insn.ref, insn.slot) if insn.code in (LD_IMM64, FRAME) else None
    if insn.code == _MOVES_K[0]:
        return insn.imm
    if insn.code == _MOVES_K[1]:
        return insn.imm & 0xFFFFFFFF
    return signed(insn.imm) if insn.code == LD_IMM64 else None


def _home(mf: MFunc, insn: MInsn) -> object | None:
    """The spill slot that the instruction loads or stores, as a fact."""
    return ("slot", insn.slot) if insn.slot >= 0 and insn.code != FRAME and mf.slots[insn.slot].spill else None


def _superfluous(mf: MFunc, insn: MInsn, known: set[Fact]) -> bool:
    if insn.is_copy:
        return insn.dst == insn.src or any((insn.dst, what) in known for reg, what in known if reg == insn.src)
    what = _value(insn) if insn.shape == DST_DEF else _home(mf, insn) if insn.code & 7 == LDX else None
    return what is not None and (insn.dst, what) in known


def _cheaper(mf: MFunc, insn: MInsn, known: set[Fact]) -> MInsn:
    """A copy instead of a load of what another register holds."""
    if insn.code & 7 == LDX and (what := _home(mf, insn)) is not None:
        holders = sorted(reg for reg, held in known if held == what)
        if holders:
            return move(insn.dst, holders[0], insn.span)
    return insn


def _step(mf: MFunc, insn: MInsn, known: set[Fact]) -> None:
    """Bring `known` from before `insn` to behind it."""
    home = _home(mf, insn)
    if home is not None and insn.code & 7 == STX:
        known -= {fact for fact in known if fact[1] == home}
        known.add((insn.src, home))
        return
    gained: set[object] = set()
    if insn.is_copy:
        gained = {what for reg, what in known if reg == insn.src}
        if not gained and insn.src < FP:
            mark = ("copy", id(insn))
            known -= {fact for fact in known if fact[1] == mark}  # of an earlier round
            known.add((insn.src, mark))
            gained = {mark}
    elif insn.shape == DST_DEF:
        gained = {_value(insn)} - {None}
    elif home is not None:
        gained = {what for _, what in known if what == home} | {home}
    written = bits(insn.writes())
    if written:
        known -= {fact for fact in known if fact[0] in written}
        known |= {(insn.dst, what) for what in gained}


def _skip_entries(mf: MFunc, starts: dict[MBlock, Facts]) -> None:
    """Where only some predecessors know what a block puts into a register first, they go behind that instruction."""
    rest: dict[MBlock, MBlock] = {}
    for block in list(mf.blocks):
        known: set[Fact] | None = None
        jump = block.insns[-1]
        for target in jump.targets:
            first = target.insns[0]
            what = _value(first) if first.shape == DST_DEF else None
            if what is None or len(target.insns) > 2 or target is block:
                continue
            if known is None:
                known = set(starts[block])
                for insn in block.insns:
                    _step(mf, insn, known)
            if (first.dst, what) in _on_edge(jump, target, known):
                if target not in rest:
                    rest[target] = _behind_first(mf, target)
                jump.targets = tuple(rest[target] if t is target else t for t in jump.targets)


def _behind_first(mf: MFunc, block: MBlock) -> MBlock:
    """Split off the first instruction; the rest as a block."""
    tail = mf.block(block.name + ".rest")
    tail.freq, tail.depth = block.freq, block.depth
    tail.insns = block.insns[1:]
    block.insns = [block.insns[0], MInsn(GOTO, targets=(tail,), span=tail.insns[0].span)]
    return tail
