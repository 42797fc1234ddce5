"""Instructions by hand: one short function a form, for tests of what they do."""

from __future__ import annotations

from purebpf.isa import opcodes as op
from purebpf.isa.codec import encode
from purebpf.isa.insn import Insn

SIZES = {1: op.B, 2: op.H, 4: op.W, 8: op.DW}
ENGINES = ["plain", "fast"]
EXIT = Insn(op.JMP | op.EXIT)


def code(*insns: Insn) -> bytes:
    return encode(insns)


def alu(what: int, dst: int, imm: int = 0, off: int = 0) -> Insn:
    return Insn(op.ALU64 | what, dst, 0, off, imm)


def alu_r(what: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.ALU64 | what | op.X, dst, src, off)


def alu32(what: int, dst: int, imm: int = 0, off: int = 0) -> Insn:
    return Insn(op.ALU | what, dst, 0, off, imm)


def alu32_r(what: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.ALU | what | op.X, dst, src, off)


def mov(dst: int, imm: int) -> Insn:
    return alu(op.MOV, dst, imm)


def mov_r(dst: int, src: int) -> Insn:
    return alu_r(op.MOV, dst, src)


def imm64(dst: int, value: int, src: int = 0) -> Insn:
    return Insn(op.LD_IMM64, dst, src, 0, value)


def jump(what: int, dst: int, imm: int, off: int) -> Insn:
    return Insn(op.JMP | what, dst, 0, off, imm)


def jump_r(what: int, dst: int, src: int, off: int) -> Insn:
    return Insn(op.JMP | what | op.X, dst, src, off)


def jump32(what: int, dst: int, imm: int, off: int) -> Insn:
    return Insn(op.JMP32 | what, dst, 0, off, imm)


def jump32_r(what: int, dst: int, src: int, off: int) -> Insn:
    return Insn(op.JMP32 | what | op.X, dst, src, off)


def goto(off: int) -> Insn:
    return Insn(op.JMP | op.JA, 0, 0, off)


def gotol(distance: int) -> Insn:
    return Insn(op.JMP32 | op.JA, 0, 0, 0, distance)


def may_goto(off: int) -> Insn:
    return Insn(op.JMP | op.JCOND, 0, 0, off)


def call(number: int) -> Insn:
    return Insn(op.JMP | op.CALL, imm=number)


def call_local(distance: int) -> Insn:
    return Insn(op.JMP | op.CALL, src=op.CALL_LOCAL, imm=distance)


def load(size: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.LDX | op.MEM | SIZES[size], dst, src, off)


def load_signed(size: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.LDX | op.MEMSX | SIZES[size], dst, src, off)


def store(size: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.STX | op.MEM | SIZES[size], dst, src, off)


def store_imm(size: int, dst: int, imm: int, off: int = 0) -> Insn:
    return Insn(op.ST | op.MEM | SIZES[size], dst, 0, off, imm)


def atomic(size: int, what: int, dst: int, src: int, off: int = 0) -> Insn:
    return Insn(op.STX | op.ATOMIC | SIZES[size], dst, src, off, what)
