"""Counting the records that found no room in a ring buffer. The kernel does not: a call fails, and only the program sees it.
So, where that is asked for, the loader puts a counter behind each such call:

    r0 = bpf_ringbuf_reserve(r1, …)
    if r0 != 0 goto over                  inserted: 5 slots. r1 and r2 are free, as a call leaves nothing in them
    r1 = &counters[ring]
    r2 = 1
    lock *(u64 *)r1 += r2
    over: …

Jumps to the instruction behind the call still go there, past the counter. Whose ring it is, is what r1 holds at the call,
where all ways there agree; else it is counted as of the only ring of the object, or as of a ring not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..isa.insn import FP, DataRef, Insn, MapRef
from ..isa.opcodes import (
    ADD, ALU, ALU64, ATOMIC, CALL, CALL_HELPER, DW, EXIT, FETCH, IMM64_FUNC, JA, JMP, JMP32, JNE, JSGE, K, LD, LD_IMM64, LDX, MOV, STX,
    X,
)
from ..spec import Linked

SECTION = ".lost"
UNKNOWN = ""  # the name of the counter for a ring that is not known
_OUTPUT, _RESERVE, _RESERVE_DYNPTR = 130, 131, 198
_FITS = {_OUTPUT: JSGE, _RESERVE: JNE, _RESERVE_DYNPTR: JSGE}  # the comparison of r0 with 0 that says: it did
_SLOTS = 5  # of what is inserted


class Calls(NamedTuple):
    """The calls of a program that can find a ring full: index of the instruction → name of the ring, or UNKNOWN."""

    rings: dict[int, str]


def calls(linked: Linked, rings: Sequence[str]) -> Calls:
    """`rings`: the ring buffers of the object."""
    found: dict[int, str] = {}
    targets = set(_targets(linked.insns))
    for start, end in _functions(linked):
        for index in range(start, end):
            insn = linked.insns[index]
            if insn.code == JMP | CALL and insn.src == CALL_HELPER and insn.ref is None and insn.imm in _FITS:
                name = _map_in(linked.insns, targets, start, end, index, 1)
                found[index] = name if name in rings else rings[0] if len(rings) == 1 else UNKNOWN
    return Calls(found)


def counted(linked: Linked, found: Calls, counters: Sequence[str]) -> Linked | None:
    """The program with a counter behind each call, at its place in `counters`; None if a jump would become too long."""
    if not found.rings:
        return linked
    old = _slots(linked.insns)
    inserted = [0] * len(linked.insns)  # slots in front of each instruction
    for index in range(1, len(inserted)):
        inserted[index] = inserted[index - 1] + (_SLOTS if index - 1 in found.rings else 0)
    new = {slot: slot + more for slot, more in zip(old, inserted)}
    out: list[Insn] = []
    for index, insn in enumerate(linked.insns):
        moved = _moved(insn, old[index], new)
        if moved is None:
            return None
        out.append(moved)
        if index in found.rings:
            out += _counter(insn.imm, counters.index(found.rings[index]))
    return Linked(tuple(out), tuple((new[slot], func) for slot, func in linked.starts),
                  tuple((new[slot], line) for slot, line in linked.lines))


def _counter(helper: int, number: int) -> list[Insn]:
    return [Insn(JMP | _FITS[helper] | K, 0, 0, _SLOTS - 1, 0), Insn(LD_IMM64, 1, ref=DataRef(SECTION, 8 * number)),
            Insn(ALU64 | MOV | K, 2, imm=1), Insn(STX | ATOMIC | DW, 1, 2, 0, ADD)]


def _moved(insn: Insn, slot: int, new: dict[int, int]) -> Insn | None:
    """The instruction, where it refers to others by distance, with the distance there is now; None if it has no room."""
    field = _distance(insn)
    if not field:
        return insn
    value = getattr(insn, field)
    if insn.code == LD_IMM64:
        value -= (value & 0x80000000) << 1  # the low 32 bits of a signed number
    distance = new[slot + 1 + value] - new[slot] - 1
    if field == "off" and not -0x8000 <= distance < 0x8000:
        return None
    return insn._replace(off=distance) if field == "off" else insn._replace(
        imm=distance & 0xFFFFFFFF if insn.code == LD_IMM64 else distance)


def _distance(insn: Insn) -> str:
    """The field that counts slots to another instruction: "off", "imm" or ""."""
    if insn.ref is not None:
        return ""
    if insn.code == LD_IMM64:
        return "imm" if insn.src == IMM64_FUNC else ""
    kind, operation = insn.code & 7, insn.code & 0xF0
    if kind not in (JMP, JMP32) or operation == EXIT:
        return ""
    if operation == CALL:
        return "imm" if kind == JMP and insn.src == 1 else ""
    return "imm" if kind == JMP32 and operation == JA else "off"


# ── which ring ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _slots(insns: Sequence[Insn]) -> list[int]:
    out, slot = [], 0
    for insn in insns:
        out.append(slot)
        slot += insn.slots
    return out


def _functions(linked: Linked) -> Iterable[tuple[int, int]]:
    """[first, end) of each function, as indices."""
    at = {slot: index for index, slot in enumerate(_slots(linked.insns))}
    starts = [at[slot] for slot, _ in linked.starts]
    return zip(starts, [*starts[1:], len(linked.insns)])


def _targets(insns: Sequence[Insn]) -> Iterable[int]:
    """Indices of the instructions that jumps go to."""
    slots = _slots(insns)
    at = {slot: index for index, slot in enumerate(slots)}
    for index, insn in enumerate(insns):
        field = _distance(insn)
        if field and insn.code & 0xF0 != CALL and insn.code != LD_IMM64:
            yield at[slots[index] + 1 + getattr(insn, field)]


def _map_in(insns: Sequence[Insn], targets: set[int], start: int, end: int, index: int, register: int) -> str:
    """The name of the map whose address a register holds before an instruction of the function [start, end); "" if that is
    not to be seen."""
    for at in range(index - 1, start - 1, -1):
        insn = insns[at]
        if at + 1 in targets or insn.code in (JMP | JA, JMP32 | JA):
            break  # there are other ways here
        if register in written(insn):
            if insn.code == ALU64 | MOV | X and not insn.off:
                register = insn.src
                continue
            return _named(insn)
    else:
        return ""  # an argument
    names = {_named(insn) for insn in insns[start:end] if register in written(insn)}
    return names.pop() if len(names) == 1 and 6 <= register < FP else ""  # whichever way: the same map


def _named(insn: Insn) -> str:
    return insn.ref.name if insn.code == LD_IMM64 and isinstance(insn.ref, MapRef) else ""


def written(insn: Insn) -> tuple[int, ...]:
    """The registers that an instruction changes."""
    kind = insn.code & 7
    if kind in (LDX, ALU, ALU64) or insn.code == LD_IMM64:
        return (insn.dst,)
    if kind == LD:
        return (0, 1, 2, 3, 4, 5)  # packet access of old is a call
    if kind == JMP and insn.code & 0xF0 == CALL:
        return (0, 1, 2, 3, 4, 5)
    if kind == STX and insn.code & 0xE0 == ATOMIC and insn.imm & FETCH:
        return (0, insn.src)
    if kind == STX and insn.code & 0xE0 == ATOMIC and insn.imm == 0x100:  # load-acquire
        return (insn.dst,)
    return ()
