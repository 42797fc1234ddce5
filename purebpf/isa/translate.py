"""Classic BPF -> eBPF: the code of a socket filter with the same verdict; see `cbpf` for the registers.

Only instructions of the first eBPF are used (no 32-bit jumps, no jlt/jle), so that every kernel takes the result.
Unreachable instructions, which classic BPF allows and the eBPF verifier does not, are left out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import FormatError
from . import cbpf
from . import opcodes as op
from .cbpf import AD_OFF, MEMWORDS, Filter, Program
from .insn import FP, Insn

_A, _TEMP, _SKB, _X, _SAVED = 0, 2, 6, 7, 8  # r0, r2, r6, r7, r8

# ancillary load -> offset in struct __sk_buff, and whether the field is in network order
_FIELDS: Final = {0: (16, True), 4: (4, False), 8: (40, False), 20: (8, False), 24: (12, False), 32: (68, False),
                  44: (24, False), 48: (20, False), 60: (28, True)}
_HELPERS: Final = {36: 8, 56: 7}  # cpu, rand -> get_smp_processor_id, get_prandom_u32
_XOR_X: Final = 40
_JUMPS: Final = {0x10: op.JEQ, 0x20: op.JGT, 0x30: op.JGE, 0x40: op.JSET}


class _Out(NamedTuple):
    """An instruction, and the classic instruction it jumps to, or None."""

    insn: Insn
    goal: int | None = None


def translate(program: Program) -> list[Insn]:
    """The eBPF instructions. FormatError for an ancillary load that __sk_buff does not show (nla, nlan, hatype, poff)."""
    reached = _reachable(program)
    out = [_Out(_mov(_SKB, 1)), _Out(_set(_A, 0)), _Out(_set(_X, 0))]
    used = {program[n].k for n in reached if program[n].code in (cbpf.LD | cbpf.MEM, cbpf.LDX | cbpf.MEM)}
    out += [_Out(_store(k, _A)) for k in sorted(used)]
    first: dict[int, int] = {}
    for n in sorted(reached):
        first[n] = len(out)
        out += _one(n, program[n])
    done = []
    for place, (insn, goal) in enumerate(out):
        if goal is not None:
            distance = first[goal] - place - 1
            if not -0x8000 <= distance <= 0x7FFF:
                raise FormatError(f"a jump of the filter is {distance} instructions long in eBPF, more than 16 bits hold")
            insn = insn._replace(off=distance)
        done.append(insn)
    return done


def _reachable(program: Program) -> set[int]:
    reached: set[int] = set()
    todo = [0]
    while todo:
        n = todo.pop()
        if n in reached:
            continue
        reached.add(n)
        code, jt, jf, k = program[n]
        if code == cbpf.JMP:
            todo.append(n + 1 + k)
        elif code & 7 == cbpf.JMP:
            todo += [n + 1 + jt, n + 1 + jf]
        elif code & 7 != cbpf.RET:
            todo.append(n + 1)
    return reached


def _mov(dst: int, src: int) -> Insn:
    return Insn(op.ALU64 | op.MOV | op.X, dst, src)


def _set(dst: int, k: int) -> Insn:
    return Insn(op.ALU | op.MOV | op.K, dst, imm=k - (k >> 31 << 32))


def _place(k: int) -> int:
    return -4 * (MEMWORDS - k)


def _store(k: int, src: int) -> Insn:
    return Insn(op.STX | op.MEM | op.W, FP, src, _place(k))


def _field(dst: int, offset: int) -> Insn:
    return Insn(op.LDX | op.MEM | op.W, dst, _SKB, offset)


def _exit(k: int) -> list[_Out]:
    return [_Out(_set(_A, k)), _Out(Insn(op.JMP | op.EXIT))]


def _one(n: int, insn: Filter) -> list[_Out]:
    code, _, _, k = insn
    match code & 7:
        case cbpf.LD | cbpf.LDX:
            return _load(insn)
        case cbpf.ST:
            return [_Out(_store(k, _A))]
        case cbpf.STX:
            return [_Out(_store(k, _X))]
        case cbpf.ALU:
            return _alu(insn)
        case cbpf.JMP:
            return _jump(n, insn)
        case cbpf.RET:
            if code & cbpf.A:
                return [_Out(Insn(op.JMP | op.EXIT))]
            return [_Out(_mov(_A, _X)), _Out(Insn(op.JMP | op.EXIT))] if code & cbpf.X else _exit(k)
    return [_Out(_mov(_A, _X) if code & 0x80 else _mov(_X, _A))]


def _load(insn: Filter) -> list[_Out]:
    code, _, _, k = insn
    dst = _A if code & 7 == cbpf.LD else _X
    mode, size = code & 0xE0, code & 0x18
    signed = k - (k >> 31 << 32)
    match mode:
        case cbpf.IMM:
            return [_Out(_set(dst, k))]
        case cbpf.MEM:
            return [_Out(Insn(op.LDX | op.MEM | op.W, dst, FP, _place(k)))]
        case cbpf.LEN:
            return [_Out(_field(dst, 0))]
        case cbpf.MSH:
            return [_Out(_mov(_SAVED, _A)), _Out(Insn(op.LD | op.ABS | op.B, imm=signed)),
                    _Out(Insn(op.ALU | op.AND, _A, imm=15)), _Out(Insn(op.ALU | op.LSH, _A, imm=2)),
                    _Out(_mov(_X, _A)), _Out(_mov(_A, _SAVED))]
        case cbpf.IND:
            return [_Out(Insn(op.LD | op.IND | size, 0, _X, imm=signed))]
    return _ancillary(k - AD_OFF) if k >= AD_OFF else [_Out(Insn(op.LD | op.ABS | size, imm=signed))]


def _ancillary(offset: int) -> list[_Out]:
    if offset == _XOR_X:
        return [_Out(Insn(op.ALU | op.XOR | op.X, _A, _X))]
    if offset in _HELPERS:
        return [_Out(Insn(op.JMP | op.CALL, imm=_HELPERS[offset]))]
    if offset not in _FIELDS:
        name = next((n for n, o in cbpf.ANCILLARY.items() if o == offset), str(offset))
        raise FormatError(f"an eBPF socket filter cannot load #{name}")
    field, network = _FIELDS[offset]
    out = [_Out(_field(_A, field))]
    if network:
        out.append(_Out(Insn(op.ALU | op.END | op.X, _A, imm=16)))
    if offset == 8:  # a packet without a device ends the filter
        out += [_Out(Insn(op.JMP | op.JNE, _A, off=1)), _Out(Insn(op.JMP | op.EXIT))]
    return out


def _alu(insn: Filter) -> list[_Out]:
    code, _, _, k = insn
    if code & 0xF0 == 0x80:
        return [_Out(Insn(op.ALU | op.NEG, _A))]
    if not code & cbpf.X:
        return [_Out(Insn(op.ALU | code & 0xF0, _A, imm=k - (k >> 31 << 32)))]
    out = []
    if code & 0xF0 in (op.DIV, op.MOD):  # classic BPF ends with 0 where eBPF goes on
        out = [_Out(Insn(op.JMP | op.JNE, _X, off=2)), *_exit(0)]
    return [*out, _Out(Insn(op.ALU | code & 0xF0 | op.X, _A, _X))]


def _jump(n: int, insn: Filter) -> list[_Out]:
    code, jt, jf, k = insn
    if code == cbpf.JMP:
        return [_Out(Insn(op.JMP | op.JA), n + 1 + k)]
    if jt == jf:
        return [_Out(Insn(op.JMP | op.JA), n + 1 + jt)]
    test, out = _JUMPS[code & 0xF0], []
    source, src, imm = op.K, 0, k
    if code & cbpf.X:
        source, src, imm = op.X, _X, 0
    elif k >> 31:  # the immediate of a 64-bit jump would be sign-extended
        out, source, src, imm = [_Out(_set(_TEMP, k))], op.X, _TEMP, 0
    if jt == 0 and test == op.JEQ:
        return [*out, _Out(Insn(op.JMP | op.JNE | source, _A, src, imm=imm), n + 1 + jf)]
    out.append(_Out(Insn(op.JMP | test | source, _A, src, imm=imm), n + 1 + jt))
    return out if jf == 0 else [*out, _Out(Insn(op.JMP | op.JA), n + 1 + jf)]
