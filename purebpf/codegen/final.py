"""Proof that the last steps kept the program whole: the finished instructions, read back as bytes.

Looks at nothing that layout and emission decided, only at what would be loaded: every instruction decodes to itself, jumps
land on instructions, no way leads out at the end, and every register that is read was written on every way there (a call
destroys R1-R5; a function starts with R1-R5 and R10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..errors import FormatError, InternalError
from ..isa.codec import decode, encode
from ..isa.insn import FP, Insn
from ..isa.opcodes import CALL, EXIT, JA, JMP, JMP32
from ..spec import FuncSpec
from .mach import CALL_CLOBBERS, MInsn

_START: Final = 0b11111 << 1 | 1 << FP
_R0: Final = 1


def check(spec: FuncSpec, code: Sequence[MInsn]) -> None:
    """Raise InternalError, with the instructions, if `spec` is not whole. `code` says which registers each one uses."""
    findings = list(_encoding(spec.insns)) or list(_flow(spec.insns, code))
    if findings:
        raise InternalError("codegen.final", f"{spec.name}: {'; '.join(findings)}", "\n".join(map(repr, code)))


def _encoding(insns: Sequence[Insn]) -> Iterator[str]:
    try:
        again = decode(encode(insns))
    except FormatError as error:
        yield str(error)
        return
    if len(again) != len(insns):
        yield f"{len(insns)} instructions read back as {len(again)}"
    for n, (a, b) in enumerate(zip(insns, again)):
        if (a.code, a.dst, a.src, a.off) != (b.code, b.dst, b.src, b.off) or (a.imm ^ b.imm) & 0xFFFFFFFF:
            yield f"instruction {n} reads back as another"


def _flow(insns: Sequence[Insn], code: Sequence[MInsn]) -> Iterator[str]:
    slots: list[int] = []
    at = 0
    for insn in insns:
        slots.append(at)
        at += insn.slots
    index = {slot: n for n, slot in enumerate(slots)}
    defined: dict[int, int] = {0: _START}  # instruction -> registers that hold something whenever it is reached
    work = [0]
    while work:
        n = work.pop()
        have = defined[n]
        if missing := code[n].reads() & ~have:
            yield f"instruction {n} reads R{missing.bit_length() - 1}, which may hold nothing"
            return
        if code[n].writes() >> FP & 1:
            yield f"instruction {n} writes R{FP}"
        after = have & ~CALL_CLOBBERS | _R0 if code[n].is_call else have | code[n].writes()
        for slot in _next(insns[n], slots[n]):
            to = index.get(slot)
            if to is None:
                yield f"instruction {n} leads to no instruction"
                return
            known = defined.get(to)
            new = after if known is None else known & after
            if new != known:
                defined[to] = new
                work.append(to)


def _next(insn: Insn, slot: int) -> Iterator[int]:
    """The slots where it goes on."""
    kind, after = insn.code & 0xF0, slot + insn.slots
    if insn.code & 7 not in (JMP, JMP32) or kind == CALL:
        yield after
    elif kind == JA:
        yield after + (insn.imm if insn.code & 7 == JMP32 else insn.off)
    elif kind != EXIT:
        yield after
        yield after + insn.off
