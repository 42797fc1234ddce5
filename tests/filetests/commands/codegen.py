"""codegen: IR to assembly text, allocation checked. Arguments: `v1`..`v4` (default v3), `lines` for source lines."""

from __future__ import annotations

from purebpf.codegen import generate
from purebpf.ir import text, verify
from purebpf.isa import FuncRef, Insn, KfuncRef, format_insn
from purebpf.isa.opcodes import CALL, EXIT, JA, JMP, JMP32


def _codegen(source: str, args: list[str]) -> str:
    module = text.parse(source)
    verify.check(module, "the test's input")
    cpu = next((int(a[1]) for a in args if a[:1] == "v"), 3)
    out = []
    for fn in module.functions.values():
        spec = generate(fn, cpu=cpu, verify=True)
        if len(module.functions) > 1:
            out.append(f"{spec.name}:")
        out += listing(spec.insns)
    return "\n".join(out)


def listing(insns: tuple[Insn, ...]) -> list[str]:
    """Assembly with labels L1, L2, ... where jumps go."""
    slots, slot = [], 0
    for insn in insns:
        slots.append(slot)
        slot += insn.slots
    targets = {s + 1 + _distance(i): "" for s, i in zip(slots, insns) if _jumps(i)}
    for n, at in enumerate(sorted(targets), 1):
        targets[at] = f"L{n}"
    out = []
    for at, insn in zip(slots, insns):
        if at in targets:
            out.append(f"{targets[at]}:")
        label = targets[at + 1 + _distance(insn)] if _jumps(insn) else None
        out.append("  " + _text(insn, label))
    return out


def _text(insn: Insn, label: str | None) -> str:
    if isinstance(insn.ref, (FuncRef, KfuncRef)) and insn.code == JMP | CALL:
        return f"call {insn.ref.name}"
    return format_insn(insn, target=label)


def _jumps(insn: Insn) -> bool:
    return insn.code & 7 in (JMP, JMP32) and insn.code & 0xF0 not in (CALL, EXIT)


def _distance(insn: Insn) -> int:
    return insn.imm if insn.code == JMP32 | JA else insn.off


COMMANDS = {"codegen": _codegen}
