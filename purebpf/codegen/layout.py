"""The order of blocks, so that as few jumps as possible are needed.

    clean:  jumps to jumps, equal blocks, ends that one block has in common with another
    order:  chains of blocks that fall through into each other, the most frequent joints first (after Pettis and Hansen);
            a loop whose test is on top gets it at the bottom this way, one jump a round
"""

from __future__ import annotations

from ..isa.opcodes import (
    JEQ,
    JGE,
    JGT,
    JLE,
    JLT,
    JMP32,
    JNE,
    JSGE,
    JSGT,
    JSLE,
    JSLT,
    X,
)
from .mach import GOTO, RETURN, MBlock, MFunc, MInsn

INVERSE = {JEQ: JNE, JNE: JEQ, JGT: JLE, JLE: JGT, JGE: JLT, JLT: JGE, JSGT: JSLE, JSLE: JSGT, JSGE: JSLT, JSLT: JSGE}
_SWAP = {JLT: JGT, JGT: JLT, JLE: JGE, JGE: JLE, JSLT: JSGT, JSGT: JSLT, JSLE: JSGE, JSGE: JSLE}
SHORT = 4  # instructions of an end that is worth sharing
_SINCE_V2 = frozenset((JLT, JLE, JSLT, JSLE))


def arrange(mf: MFunc, falls_back: bool = True) -> list[MBlock]:
    """The blocks of `mf`, allocated, in the order of emission; jumps still name blocks. `falls_back`: the kernel takes a loop
    that comes round without a jump, as one does whose test is at the bottom and entered first."""
    if mf.cpu < 2:
        for block in mf.blocks:
            _old_jump(block.insns[-1])
    while _thread(mf) or _merge_equal(mf):
        pass
    _share_ends(mf)
    mf.held = set() if falls_back else _back_edges(mf)
    return _chains(mf)


def invertible(insn: MInsn, cpu: int) -> bool:
    """Whether a conditional jump has an opposite: jset has none, and v1 lacks some comparisons with constants."""
    inverse = INVERSE.get(insn.code & 0xF0)
    return inverse is not None and (cpu >= 2 or inverse not in _SINCE_V2 or bool(insn.code & X))


def invert(insn: MInsn, cpu: int) -> None:
    """Turn a conditional jump round: the opposite condition, the targets exchanged."""
    insn.code = insn.code & 0x0F | INVERSE[insn.code & 0xF0]
    insn.targets = insn.targets[::-1]
    if cpu < 2 and insn.code & 0xF0 in _SINCE_V2:
        _exchange(insn)


def _exchange(insn: MInsn) -> None:
    insn.code = insn.code & 0x0F | _SWAP[insn.code & 0xF0]
    insn.dst, insn.src = insn.src, insn.dst


def _old_jump(insn: MInsn) -> None:
    """v1 has no "less than": exchange the operands, or the targets of the opposite."""
    if len(insn.targets) == 2 and insn.code & 0xF0 in _SINCE_V2 and insn.code & 7 != JMP32:
        if insn.code & X:
            _exchange(insn)
        else:
            insn.code = insn.code & 0x0F | INVERSE[insn.code & 0xF0]
            insn.targets = insn.targets[::-1]


def _thread(mf: MFunc) -> bool:
    """Let jumps go where the jump they lead to goes; a jump to an exit is the exit. True if anything changed."""
    changed = False
    for block in mf.blocks:
        last = block.insns[-1]
        if not last.targets:
            continue
        targets = tuple(_destination(t) for t in last.targets)
        if len(targets) == 2 and targets[0] is targets[1]:
            last = block.insns[-1] = MInsn(GOTO, targets=targets[:1], span=last.span)
            changed = True
        elif targets != last.targets:
            last.targets = targets
            changed = True
        if last.code == GOTO and last.targets[0].insns[0].code == RETURN:
            block.insns[-1] = MInsn(RETURN, span=last.span)
            changed = True
    if changed:
        _drop_unreachable(mf)
    return changed


def _destination(block: MBlock) -> MBlock:
    seen = {block}
    while block.insns[0].code == GOTO:
        block = block.insns[0].targets[0]
        if block in seen:
            break
        seen.add(block)
    return block


def _drop_unreachable(mf: MFunc) -> None:
    seen = {mf.blocks[0]}
    work = [mf.blocks[0]]
    while work:
        for target in work.pop().targets:
            if target not in seen:
                seen.add(target)
                work.append(target)
    mf.blocks = [b for b in mf.blocks if b in seen]


def _merge_equal(mf: MFunc) -> bool:
    """Blocks with the same instructions become one."""
    first: dict[object, MBlock] = {}
    same: dict[MBlock, MBlock] = {}
    for block in mf.blocks:
        if (other := first.setdefault(_key(block.insns), block)) is not block:
            same[block] = other
    if not same:
        return False
    for block in mf.blocks:
        last = block.insns[-1]
        last.targets = tuple(same.get(t, t) for t in last.targets)
    _drop_unreachable(mf)
    return True


def _share_ends(mf: MFunc) -> None:
    """A short block that returns needs no place of its own where another block ends in the same instructions: that one
    falls through into it instead. The longest first, so that `exit` alone finds one in `r0 = 0; exit`."""
    ends = [b for b in mf.blocks if b.insns[-1].code == RETURN]
    endings: dict[object, list[MBlock]] = {}  # last instructions -> who ends so, the first first
    for block in reversed(ends):
        for n in range(1, min(SHORT, len(block.insns) - 1) + 1):
            endings.setdefault(_key(block.insns[-n:]), []).append(block)
    for short in sorted((b for b in ends if len(b.insns) <= SHORT and b is not mf.blocks[0]), key=lambda b: -len(b.insns)):
        n, key = len(short.insns), _key(short.insns)
        longer = endings.get(key, [])
        while longer:
            other = longer.pop()
            if other.insns[-1].code == RETURN:  # else it ends elsewhere by now
                other.insns[-n:] = [MInsn(GOTO, targets=(short,), span=other.insns[-1].span)]
                break


def _key(insns: list[MInsn]) -> tuple[object, ...]:
    return tuple((i.code, i.dst, i.src, i.off, i.imm, i.ref, i.slot, i.targets) for i in insns)


def _back_edges(mf: MFunc) -> set[tuple[MBlock, MBlock]]:
    """Jumps to a block on the way to which the jump stands."""
    found: set[tuple[MBlock, MBlock]] = set()
    entry = mf.blocks[0]
    way, seen = {entry}, {entry}
    work = [(entry, iter(entry.targets))]
    while work:
        block, targets = work[-1]
        target = next(targets, None)
        if target is None:
            way.discard(block)
            work.pop()
        elif target in way:
            found.add((block, target))
        elif target not in seen:
            seen.add(target)
            way.add(target)
            work.append((target, iter(target.targets)))
    return found


def _chains(mf: MFunc) -> list[MBlock]:
    """Join blocks into chains: first where only one follower is possible, then by choice."""
    preds: dict[MBlock, int] = {}
    for block in mf.blocks:
        for target in block.targets:
            preds[target] = preds.get(target, 0) + 1
    sure, choice = [], []
    for n, block in enumerate(mf.blocks):
        targets = block.targets
        if len(targets) == 1:
            sure.append((-block.freq, n, block, targets[0]))
        elif targets:
            usable = targets if invertible(block.insns[-1], mf.cpu) else targets[1:]
            choice += [(preds[t], -block.freq, -t.freq, n, block, t) for t in usable]
    sure.sort(key=lambda e: e[:2])
    choice.sort(key=lambda e: e[:4])
    chain = {block: [block] for block in mf.blocks}
    entry = mf.blocks[0]
    for a, b in [e[-2:] for e in sure] + [e[-2:] for e in choice]:
        head, tail = chain[a], chain[b]
        if head is not tail and head[-1] is a and tail[0] is b and b is not entry and (a, b) not in mf.held:
            head += tail
            for block in tail:
                chain[block] = head
    order: list[MBlock] = []
    heads = [block for block in mf.blocks if block is chain[block][0]]
    for block in sorted(heads, key=lambda b: (b is not entry, -max(c.freq for c in chain[b]))):
        order += chain[block]
    return order
