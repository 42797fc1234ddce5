"""Machine blocks in order -> instructions with resolved jumps, and the source line of each.

Between the two stands a flat list of instructions with the blocks themselves as labels. Offsets count slots from the next
instruction. A jump farther than 16 bits reach goes by `gotol` on v4, in older versions by way of an island: a jump placed
half-way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from ..errors import InternalError, Span
from ..isa.insn import FP, Insn
from ..isa.opcodes import ADD, ALU64, JA, JMP32, LD_IMM64, MOV, K, X
from ..spec import Line
from .layout import invert, invertible
from .mach import FRAME, GOTO, RETURN, MBlock, MFunc, MInsn

LineText = Callable[[str, int], str]
Code = list[MInsn | MBlock]
GOTOL = JMP32 | JA
REACH = (1 << 15) - 8  # slots a 16-bit jump goes, less what an island may add around it


def emit(mf: MFunc, order: list[MBlock], offsets: list[int], reach: int = REACH) -> list[MInsn]:
    """The instructions of `order`: frame addresses concrete (`offsets` of the slots from R10), jumps with their offsets."""
    code = _flatten(mf, order, offsets)
    islands: dict[MBlock, list[MBlock]] = {}
    for _ in range(len(code)):
        if not _extend(mf, code, reach, islands):
            break
    else:
        raise InternalError("codegen.emit", f"{mf.name}: no end of far jumps")
    starts, _ = _positions(code)
    out = []
    slot = 0
    for item in code:
        if isinstance(item, MBlock):
            continue
        slot += _slots(item)
        if item.targets:
            off = starts[item.targets[0]] - slot
            if item.code == GOTOL:
                item.imm = off
            else:
                item.off = off
        out.append(item)
    return out


def _slots(insn: MInsn) -> int:
    return 2 if insn.code == LD_IMM64 else 1


def _flatten(mf: MFunc, order: list[MBlock], offsets: list[int]) -> Code:
    out: Code = []
    for block, follower in zip(order, [*order[1:], None]):
        out.append(block)
        for insn in block.insns:
            if insn.code == FRAME:
                out.append(MInsn(ALU64 | MOV | X, insn.dst, FP, span=insn.span))
                out.append(MInsn(ALU64 | ADD | K, insn.dst, imm=offsets[insn.slot] + insn.imm, span=insn.span))
            elif insn.targets:
                _jump(mf, out, insn, follower if (block, follower) not in mf.held else None)
            else:
                if insn.slot >= 0:
                    insn.off += offsets[insn.slot]
                    insn.slot = -1
                out.append(insn)
    return out


def _jump(mf: MFunc, out: Code, insn: MInsn, follower: MBlock | None) -> None:
    """A block's last jump: nothing, or one that falls through on one side, or two."""
    if len(insn.targets) == 2:
        if insn.targets[0] is follower and invertible(insn, mf.cpu):
            invert(insn, mf.cpu)
        then, other = insn.targets
        insn.targets = (then,)
        out.append(insn)
        if other is follower:
            return
        insn = MInsn(GOTO, targets=(other,), span=insn.span)
    if insn.targets[0] is not follower:
        out.append(insn)


def _positions(code: Code) -> tuple[dict[MBlock, int], int]:
    """(the slot each label stands at, slots in all)."""
    starts: dict[MBlock, int] = {}
    slot = 0
    for item in code:
        if isinstance(item, MBlock):
            starts[item] = slot
        else:
            slot += _slots(item)
    return starts, slot


def _extend(mf: MFunc, code: Code, reach: int, islands: dict[MBlock, list[MBlock]]) -> bool:
    """Help all jumps that do not reach their targets, by where things stand now; False if there are none. What is put in
    between moves the rest, and what then reaches no more is for the next time."""
    starts, total = _positions(code)
    if total <= reach:
        return False
    sea = _Sea(code)
    helped = False
    for at, (item, slot) in enumerate(zip(code, sea.slots[1:])):
        if isinstance(item, MBlock) or not item.targets or item.code == GOTOL:
            continue
        distance = starts[item.targets[0]] - slot
        if -reach <= distance <= reach:
            continue
        helped = True
        if mf.cpu < 4:
            known = islands.setdefault(item.targets[0], [])
            steps = {starts[i] - slot: i for i in known}  # distance -> an island that leads to the same target
            usable = [d for d in steps if (d > 0) == (distance > 0) and reach // 4 < abs(d) <= reach
                      and abs(d) < abs(distance)]
            if usable:
                item.targets = (steps[max(usable, key=abs)],)
            else:
                stop, starts_at = sea.island(item, slot, reach if distance > 0 else -reach)
                known.append(stop)
                starts[stop] = starts_at
                item.targets = (stop,)
        elif item.code == GOTO:
            item.code = GOTOL
        else:
            far, near, past = MInsn(GOTOL, targets=item.targets, span=item.span), MBlock("near"), MBlock("past")
            item.targets = (near,)
            sea.put(at + 1, [MInsn(GOTO, targets=(past,), span=item.span), near, far, past])
    code[:] = sea.whole()
    return helped


class _Sea:
    """Code, and what shall stand between its items. `slots`: where each item begins."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.slots = [0]
        for item in code:
            self.slots.append(self.slots[-1] + (0 if isinstance(item, MBlock) else _slots(item)))
        self.new: dict[int, Code] = {}

    def put(self, place: int, items: Code) -> None:
        self.new.setdefault(place, []).extend(items)

    def island(self, insn: MInsn, slot: int, reach: int) -> tuple[MBlock, int]:
        """A jump on the way from `insn`, at the slot before `slot`, to its target, and where it stands; the code there jumps
        around it, or better ends there anyway."""
        first, last = sorted((slot + reach * 15 // 16, slot + reach // 2))
        place = nearest = bisect_left(self.slots, first)
        while not self.ends(place) and self.slots[place] < last:
            place += 1
        around: Code = []
        stop, past = MBlock("island"), MBlock("past")
        if not self.ends(place):
            place, around = nearest, [MInsn(GOTO, targets=(past,), span=insn.span)]
        self.put(place, [*around, stop, MInsn(GOTO, targets=insn.targets, span=insn.span), past])
        return stop, self.slots[place]

    def ends(self, place: int) -> bool:
        """Does nothing fall through to there?"""
        before = self.code[place - 1] if place else None
        return isinstance(before, MInsn) and before.code in (GOTO, RETURN)

    def whole(self) -> Code:
        return [one for at, item in enumerate(self.code) for one in (*self.new.get(at, ()), item)]


def instructions(code: list[MInsn]) -> tuple[Insn, ...]:
    return tuple([Insn(i.code, i.dst, i.src, i.off, i.imm, i.ref) for i in code])


def lines(code: list[MInsn], start: Span | None, text: LineText | None) -> tuple[Line, ...]:
    """One Line wherever the source line changes; the first instruction has one if any has."""
    out: list[Line] = []
    last: tuple[str, int, int] | None = None
    span = start or next((i.span for i in code if i.span), None)
    for index, insn in enumerate(code):
        span = insn.span or span
        if span is not None and (span.file, span.line, span.col) != last:
            last = span.file, span.line, span.col
            out.append(Line(index, span.file, span.line, span.col + 1, text(span.file, span.line) if text else ""))
    return tuple(out)
